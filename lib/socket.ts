import { request } from 'node:http';

/**
 * Posts JSON to a server that listens on a Unix socket of this machine.
 * @param path of the socket
 * @param route of the request
 * @returns the parsed answer, whatever its status
 * @throws the system's error, with code `ENOENT` or `ECONNREFUSED` when nobody listens
 */
export function postToSocket(path: string, route: string, body: unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const call = request(
      { socketPath: path, path: route, method: 'POST', headers: { 'content-type': 'application/json' } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          try {
            resolve(JSON.parse(Buffer.concat(chunks).toString('utf8')));
          } catch (error) {
            reject(error);
          }
        });
      },
    );
    call.on('error', reject);
    call.end(JSON.stringify(body));
  });
}
