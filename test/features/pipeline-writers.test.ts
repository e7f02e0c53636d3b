import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { configMap, yaml } from '../support/fleet-repository.ts';
import type { ToolkitObject } from '../support/kube-objects.ts';
import { startSlipway } from '../support/slipway.ts';
import { type Stage, startStage } from '../support/stage.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage?.stop());

const map = (name: string, value = '1') => yaml(configMap(name, '', { value }));
const FLUX = 'kustomize-controller-leader-election';

/** Renews the lease of a Flux controller, as it does while it runs. */
async function runFlux(at = new Date()): Promise<void> {
  const spec = {
    holderIdentity: 'kustomize-controller-abc',
    leaseDurationSeconds: 35,
    renewTime: at.toISOString().replace('Z', '000Z'),
  };
  const metadata = { name: FLUX, namespace: 'flux-system' };
  await stage.objects.delete('leases', 'flux-system', FLUX);
  await stage.objects.create('leases', {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata,
    spec,
  });
}

describe('one writer to a cluster', () => {
  test('while Flux runs nothing at all is written, the commit says why, and it goes on when Flux has stopped', async () => {
    const team = await stage.team({ 'app/a.yaml': map('a') });
    await team.kustomize('app', './app');
    await team.ready();
    await runFlux();
    // What was seen of the cluster is believed for ten seconds; until then it may still be written to.
    const refused = await eventually('a push is refused', async () => {
      const commit = await team.push({ 'app/a.yaml': map('a', `${Date.now()}`) });
      const [status] = await eventually('the commit has a result', async () => {
        const found = await team.repository.statuses(commit);
        return found.some((each) => each.status !== 'pending') && found;
      });
      await runFlux();
      return status?.status === 'failure' && { commit, description: status.description };
    });
    expect(refused.description).toContain('Flux is running');
    const versions = async () => {
      const all = [
        ...(await stage.objects.list<ToolkitObject>('kustomizations')),
        ...(await stage.objects.list<ToolkitObject>('gitrepositories')),
        ...(await stage.objects.list<ToolkitObject>('configmaps', team.name)),
      ];
      return all.map(({ metadata }) => `${metadata.namespace}/${metadata.name} ${metadata.resourceVersion}`);
    };
    const before = await versions();
    const seen = stage.slipway.log.length;
    await stage.objects.patch('configmaps', team.name, 'a', { data: { value: 'Flux was here' } });
    await eventually('two sweeps were refused', () => {
      const sweeps = stage.slipway.log.slice(seen).filter((line) => line.includes('the sweep failed'));
      return sweeps.length >= 2;
    });
    expect((await versions()).filter((version) => !before.includes(version))).toHaveLength(1);
    await runFlux(new Date(Date.now() - 120_000));
    await team.ready('app', refused.commit);
    await team.status(refused.commit, 'success');
  });

  test('a second installation is refused and says who is there', async () => {
    const directory = await temporaryDirectory();
    const other = await startSlipway({
      directory: directory.path,
      clusters: { second: { kubeconfig: stage.kubernetes.kubeconfig } },
      repository: 'http://127.0.0.1:1/nobody/nothing.git',
    });
    try {
      const line = await eventually('it is refused', () =>
        other.log.find((each) => each.includes('another installation of Slipway')),
      );
      expect(line).toContain('Lease/flux-system/slipway');
      const lease = await stage.objects.get<{ spec: { holderIdentity: string } }>(
        'leases',
        'flux-system',
        'slipway',
      );
      expect(lease?.spec.holderIdentity).toBe(stage.slipway.ctx.installation);
      const root = await stage.objects.get('gitrepositories', 'flux-system', 'flux-system');
      expect(root?.spec.url).toBe(stage.root.url);
    } finally {
      await other.stop();
      await directory.remove();
    }
  });
});
