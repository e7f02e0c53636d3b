import type { GitUrl } from './url.ts';

/** Where ssh finds what it needs. Paths are ours and hold no quotes or spaces. */
export interface SshFiles {
  identity: string;
  knownHosts: string;
  /** Where to dial instead of resolving the host's name; an IPv6 address may stand in brackets. */
  address: string | undefined;
}

/**
 * The ssh command for Git: our files alone, only this key, only known hosts, nothing forwarded, no questions but for the
 * passphrase of the key. https://man.openbsd.org/ssh_config
 */
export function sshCommand(url: GitUrl, files: SshFiles): string {
  const options = [
    `IdentityFile='${files.identity}'`,
    'IdentitiesOnly=yes',
    'IdentityAgent=none',
    `UserKnownHostsFile='${files.knownHosts}'`,
    'GlobalKnownHostsFile=/dev/null',
    'StrictHostKeyChecking=yes',
    'UpdateHostKeys=no',
    'VerifyHostKeyDNS=no',
    'PreferredAuthentications=publickey',
    'NumberOfPasswordPrompts=1',
    'ForwardAgent=no',
    'ForwardX11=no',
    'ClearAllForwardings=yes',
    'PermitLocalCommand=no',
    'ProxyCommand=none',
    'ControlPath=none',
    'ConnectTimeout=15',
    'ServerAliveInterval=15',
    'LogLevel=ERROR',
  ];
  if (files.address !== undefined) {
    const alias = url.port === 22 ? url.host : `[${url.host}]:${url.port}`;
    options.push(`HostName=${files.address.replace(/^\[|\]$/g, '')}`, `HostKeyAlias='${alias}'`);
  }
  return ['ssh', '-F', '/dev/null', ...options.flatMap((option) => ['-o', option])].join(' ');
}
