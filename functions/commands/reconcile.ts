import process from 'node:process';
import type { Command } from 'commander';
import type { Condition } from '../../lib/core/conditions.ts';
import { getCondition } from '../../lib/core/conditions.ts';
import { messageOf } from '../../lib/core/errors.ts';
import { refOf } from '../../lib/core/object.ts';
import type { ClusterConnection } from '../../lib/pipeline/context.ts';
import { sourceRefOf } from '../../lib/pipeline/load-source.ts';
import type { ToolkitRef } from '../../lib/pipeline/object-key.ts';
import type { WithStatus } from '../../lib/pipeline/status.ts';
import { REQUESTED_AT } from '../../lib/toolkit/annotations.ts';
import type { Kustomization } from '../../lib/toolkit/kustomization.ts';
import { isOnAws, withAdmin } from '../admin/client.ts';
import { openFleet } from '../open-fleet.ts';
import type { ObjectOptions } from './global-options.ts';
import { inEachCluster, withObjectOptions } from './global-options.ts';
import { colour, printable } from './print.ts';
import { getObject, parseObject } from './toolkit-kinds.ts';

const LOOK_MS = 500;

/** `slipway reconcile <object>`: asks for a run by the Toolkit's annotation and waits for its end. */
export function addReconcile(program: Command): void {
  withObjectOptions(
    program
      .command('reconcile <object...>')
      .description(
        'ask for a run of an object now and wait for its end (ks/apps, gitrepo/flux-system/flux-system)',
      )
      .option('--with-source', 'its source first')
      .option('--timeout <seconds>', 'how long to wait', '300'),
  ).action(async (words: string[], _options, command: Command) => {
    const options = command.optsWithGlobals<ObjectOptions & { withSource?: boolean; timeout: string }>();
    const ref = parseObject(words, options.namespace);
    const seconds = Number(options.timeout);
    if (!(seconds > 0)) throw new Error('--timeout takes a number of seconds, such as 300');
    const deadline = Date.now() + seconds * 1_000;
    const tell = await tellerOf(options);
    const results = await inEachCluster(options, async (cluster) => {
      const wait = { deadline, tell };
      if (options.withSource && ref.kind === 'Kustomization') {
        const object = await getObject(cluster, ref);
        await requestAndWait(cluster, sourceRefOf(object as unknown as Kustomization), wait);
      }
      return requestAndWait(cluster, ref, wait);
    });
    if (!results.every(Boolean)) process.exitCode = 1;
  });
}

/** `slipway suspend` and `slipway resume`. */
export function addSuspend(program: Command): void {
  for (const [verb, suspend] of [
    ['suspend', true],
    ['resume', false],
  ] as const) {
    withObjectOptions(
      program
        .command(`${verb} <object...>`)
        .description(suspend ? 'leave an object alone until it is resumed' : 'take up an object again'),
    ).action(async (words: string[], _options, command: Command) => {
      const options = command.optsWithGlobals<ObjectOptions>();
      const ref = parseObject(words, options.namespace);
      await inEachCluster(options, async (cluster) => {
        const object = await getObject(cluster, ref);
        await cluster.client.patch(refOf(object), 'merge', { spec: { suspend: suspend ? true : null } });
        say(cluster, ref, suspend ? 'suspended' : 'resumed');
      });
    });
  }
}

/** Tells the installation of a request; resolves with what kept it from that. */
type Tell = (cluster: string, ref: ToolkitRef) => Promise<string | undefined>;

/**
 * Nothing watches annotations on AWS: the next sweep would find the request, so a job is sent for it. A server that watches is not told, and
 * neither is AWS by whoever has rights in the cluster alone.
 */
async function tellerOf(options: ObjectOptions): Promise<Tell> {
  const open = await openFleet(options.config);
  if (!isOnAws(open)) return async () => undefined;
  return (cluster, ref) =>
    withAdmin(open, (admin) => admin.request(cluster, ref)).then(() => undefined, messageOf);
}

async function requestAndWait(
  cluster: ClusterConnection,
  ref: ToolkitRef,
  { deadline, tell }: { deadline: number; tell: Tell },
): Promise<boolean> {
  const object = await getObject(cluster, ref);
  const requested = new Date().toISOString();
  await cluster.client.patch(refOf(object), 'merge', {
    metadata: { annotations: { [REQUESTED_AT]: requested } },
  });
  const untold = await tell(cluster.config.name, ref);
  say(
    cluster,
    ref,
    untold === undefined ? 'requested' : `requested; the next sweep finds it (${printable(untold)})`,
  );
  for (;;) {
    const live = await getObject(cluster, ref);
    const ready = getCondition(live.status?.conditions as Condition[] | undefined, 'Ready');
    if (live.status?.lastHandledReconcileAt === requested && ready && ready.status !== 'Unknown') {
      say(
        cluster,
        ref,
        ready.status === 'True'
          ? colour(ready.message, 'good')
          : colour(`${ready.reason}: ${ready.message}`, 'bad'),
      );
      return ready.status === 'True';
    }
    if (Date.now() > deadline) {
      say(
        cluster,
        ref,
        colour(`no end within the time; last: ${lastMessage(live)}. Is Slipway running?`, 'bad'),
      );
      return false;
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

function lastMessage(object: WithStatus): string {
  return getCondition(object.status?.conditions as Condition[] | undefined, 'Ready')?.message ?? 'nothing';
}

function say({ config }: ClusterConnection, ref: ToolkitRef, what: string): void {
  process.stdout.write(`${config.name}: ${ref.kind}/${ref.namespace}/${ref.name} ${what}\n`);
}
