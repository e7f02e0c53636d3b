import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kubeconfigFor } from '../../../lib/kube/access.ts';
import { type KubeconfigOptions, loadKubeconfig } from '../../../lib/kube/kubeconfig.ts';
import { KubeconfigError } from '../../../lib/kube/kubeconfig-document.ts';

const PEM = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
const pem64 = Buffer.from(PEM).toString('base64');

function config(cluster: object = {}, user: object = { token: 'abc' }): string {
  return JSON.stringify({
    'current-context': 'main',
    clusters: [
      { name: 'other', cluster: { server: 'https://other' } },
      {
        name: 'c',
        cluster: { server: 'https://10.0.0.1:6443', 'certificate-authority-data': pem64, ...cluster },
      },
    ],
    users: [{ name: 'u', user }],
    contexts: [
      { name: 'main', context: { cluster: 'c', user: 'u' } },
      { name: 'second', context: { cluster: 'other', user: 'u' } },
    ],
  });
}

function load(text: string, options: Partial<KubeconfigOptions> = {}) {
  return loadKubeconfig(text, { name: 'staging', ...options });
}

describe('loadKubeconfig', () => {
  it('reads server, authority and token of the current context', () => {
    expect(load(config())).toEqual({ server: 'https://10.0.0.1:6443', caData: PEM, token: 'abc' });
  });

  it('reads another context, client certificates and the name on the server certificate', () => {
    expect(load(config(), { context: 'second' }).server).toBe('https://other');
    const user = { 'client-certificate-data': pem64, 'client-key-data': pem64 };
    expect(load(config({ 'tls-server-name': 'kubernetes' }, user))).toEqual({
      server: 'https://10.0.0.1:6443',
      caData: PEM,
      certData: PEM,
      keyData: PEM,
      tlsServerName: 'kubernetes',
    });
  });

  it('reads back what kubeconfigFor writes', () => {
    const access = { name: 'x', server: 'https://k:6443', caData: PEM, token: 't' };
    expect(load(kubeconfigFor(access))).toEqual({ server: 'https://k:6443', caData: PEM, token: 't' });
  });

  it.each([
    ['exec', {}, { exec: { command: 'aws', args: ['eks', 'get-token'] } }],
    ['auth-provider', {}, { 'auth-provider': { name: 'gcp' } }],
    ['tokenFile', {}, { tokenFile: '/var/run/secrets/token' }],
    [
      'certificate-authority',
      { 'certificate-authority': '/etc/ca.pem', 'certificate-authority-data': '' },
      undefined,
    ],
    ['client-certificate', {}, { 'client-certificate': '/a.pem', 'client-key': '/b.pem' }],
    ['client-key', {}, { 'client-certificate-data': pem64, 'client-key': '/b.pem' }],
    ['proxy-url', { 'proxy-url': 'http://proxy:3128' }, undefined],
    ['insecure-skip-tls-verify', { 'insecure-skip-tls-verify': true }, undefined],
    ['http', { server: 'http://10.0.0.1:8080' }, undefined],
    ['username', {}, { username: 'admin', password: 'hunter22' }],
    ['as', {}, { token: 'abc', as: 'system:admin' }],
  ])('refuses %s, naming the cluster and the field but no value', (field, cluster, user) => {
    const work = () => load(config(cluster, user));
    expect(work).toThrow(KubeconfigError);
    expect(work).toThrow(/^kubeconfig of cluster staging: /);
    expect(work).toThrow(new RegExp(`\\b${field}\\b`));
    expect(work).not.toThrow(/hunter22/);
  });

  it('accepts what the operator allows', async () => {
    const insecure = config({ 'insecure-skip-tls-verify': true, server: 'http://localhost:8080' });
    expect(load(insecure, { allowInsecure: true })).toMatchObject({ insecureSkipTlsVerify: true });
    const files = { allowFiles: true, readFile: (path: string) => `${PEM}${path}` };
    const byFile = load(config({}, { 'client-certificate': '/a.pem', 'client-key': '/b.pem' }), files);
    expect([byFile.certData, byFile.keyData]).toEqual([`${PEM}/a.pem`, `${PEM}/b.pem`]);
    const token = load(config({}, { tokenFile: '/token' }), {
      allowFiles: true,
      readFile: () => ' secret\n',
    });
    expect(await token.tokenSource?.()).toBe('secret');
  });

  it('runs an allowed credential plugin for each token, and tells when it prints something else', async () => {
    const printed = JSON.stringify({ kind: 'ExecCredential', status: { token: 'from-plugin' } });
    const plugin = (command: string, args: string[]) => config({}, { exec: { command, args } });
    const good = load(plugin('printf', ['%s', printed]), { allowExec: true });
    expect(await good.tokenSource?.()).toBe('from-plugin');
    const odd = load(plugin('printf', ['%s', 'oops-secret']), { allowExec: true });
    await expect(odd.tokenSource?.()).rejects.toThrow(/^(?!.*oops-secret).*printed no ExecCredential/);
    const failing = load(plugin('false', []), { allowExec: true });
    await expect(failing.tokenSource?.()).rejects.toThrow(/the exec command false failed/);
  });

  it.each([
    ['', /not a mapping/],
    ['[]', /not a mapping/],
    ['{}', /there is no current-context/],
    ['current-context: x', /there is no context "x"/],
    ['a: [', /not valid YAML \(line 1/],
    ['token: "very-secret', /^(?!.*very-secret)/],
    ['a: &a [1]\nb: &b [*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b]\nd: [*c,*c,*c,*c]', /too many YAML aliases/],
  ])('says what is wrong with %j', (text, message) => {
    expect(() => load(text)).toThrow(KubeconfigError);
    expect(() => load(text)).toThrow(message);
  });

  it('says when the user has no credential or the token is broken', () => {
    expect(() => load(config({}, {}))).toThrow(/no credential/);
    expect(() => load(config({}, { token: 'a\r\nHost: evil' }))).toThrow(/characters that no token has/);
    expect(() => load(config({}, { 'client-certificate-data': '!!', 'client-key-data': pem64 }))).toThrow(
      /PEM/,
    );
  });

  it('throws nothing but KubeconfigErrors, whatever the file holds', () => {
    const field = fc.constantFrom(
      'server',
      'token',
      'exec',
      'tokenFile',
      'certificate-authority-data',
      'proxy-url',
    );
    const info = fc.dictionary(field, fc.jsonValue());
    fc.assert(
      fc.property(info, info, (cluster, user) => {
        try {
          load(config(cluster, user));
        } catch (error) {
          expect(error).toBeInstanceOf(KubeconfigError);
        }
      }),
    );
  });
});
