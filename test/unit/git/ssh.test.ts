import { expect, test } from 'vitest';
import { run } from '../../../lib/exec.ts';
import { sshCommand } from '../../../lib/git/ssh.ts';
import { parseGitUrl } from '../../../lib/git/url.ts';

/** The settings as ssh itself understands them. */
async function effective(url: string, address: string | undefined): Promise<Map<string, string>> {
  const target = parseGitUrl(url);
  const command = sshCommand(target, { identity: '/tmp/key', knownHosts: '/tmp/hosts', address });
  const { stdout, stderr, code } = await run('sh', [
    '-c',
    `${command} -G -p ${target.port} git@${target.host}`,
  ]);
  expect([code, stderr]).toEqual([0, '']);
  return new Map(
    String(stdout)
      .split('\n')
      .map((line): [string, string] => [line.split(' ', 1)[0] ?? '', line.slice(line.indexOf(' ') + 1)]),
  );
}

test('ssh uses our key and our known hosts, asks nothing and forwards nothing', async () => {
  const settings = await effective('ssh://git@host/repo', undefined);
  expect(Object.fromEntries(settings)).toMatchObject({
    identityfile: '/tmp/key',
    identitiesonly: 'yes',
    userknownhostsfile: '/tmp/hosts',
    globalknownhostsfile: '/dev/null',
    stricthostkeychecking: 'true',
    forwardagent: 'no',
    permitlocalcommand: 'no',
    updatehostkeys: 'false',
  });
  expect(settings.has('proxycommand')).toBe(false);
});

test('the address that was checked is dialled, and the host key is still that of the name', async () => {
  const plain = await effective('ssh://git@host/repo', '10.0.0.1');
  expect([plain.get('hostname'), plain.get('hostkeyalias')]).toEqual(['10.0.0.1', 'host']);
  const other = await effective('ssh://git@host:2222/repo', '[::1]');
  expect([other.get('hostname'), other.get('hostkeyalias')]).toEqual(['::1', '[host]:2222']);
});
