import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../lib/exec.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** A certificate and its key, in PEM. */
export interface KeyPair {
  certificate: string;
  key: string;
}

/** A certificate authority of our own and two certificates of it, for 127.0.0.1; in PEM. */
export interface Certificates {
  ca: string;
  server: KeyPair;
  client: KeyPair;
}

/** Makes an authority that nobody knows, a server and a client (under a second). */
export async function certificates(): Promise<Certificates> {
  const { path, remove } = await temporaryDirectory();
  const openssl = async (line: string) => {
    const { code, stderr } = await run('openssl', line.split(' '), { cwd: path });
    if (code !== 0) throw new Error(stderr);
  };
  const issue = async (name: string): Promise<KeyPair> => {
    await openssl(`req -newkey rsa:2048 -nodes -keyout ${name}.key -out ${name}.csr -subj /CN=${name}`);
    writeFileSync(join(path, 'san'), 'subjectAltName=IP:127.0.0.1');
    const authority = '-CA ca.crt -CAkey ca.key -CAcreateserial';
    await openssl(`x509 -req -in ${name}.csr ${authority} -days 2 -extfile san -out ${name}.crt`);
    return { certificate: pem(`${name}.crt`), key: pem(`${name}.key`) };
  };
  const pem = (name: string) => readFileSync(join(path, name), 'utf8');
  try {
    await openssl('req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.crt');
    return { ca: pem('ca.crt'), server: await issue('server'), client: await issue('client') };
  } finally {
    await remove();
  }
}
