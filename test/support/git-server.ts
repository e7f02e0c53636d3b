import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createGunzip } from 'node:zlib';

/** A request as the server saw it. */
export interface SeenRequest {
  method: string;
  path: string;
  authorization: string | undefined;
}

/** A real Git server over HTTP (`git http-backend`), with switches for what real servers do to us. */
export interface GitServer {
  /** `http(s)://127.0.0.1:<port>`; repositories are below it by the name they were given. */
  url: string;
  requests: SeenRequest[];
  /** What the server asks for; undefined: anybody may read. */
  credentials: { username: string; password: string } | { bearer: string } | undefined;
  /** Answers instead of Git when it returns true. */
  intercept: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  /** Changes what Git answers, piece by piece. */
  tamper: ((chunk: Buffer) => Buffer) | undefined;
  /** Serves a repository as `/<name>`. @param gitDir a bare repository or a `.git` folder */
  add(name: string, gitDir: string): void;
  close(): Promise<void>;
}

/** Starts a server on a free port of the loopback address. @param tls serve https with these settings */
export async function startGitServer(tls?: ServerOptions): Promise<GitServer> {
  const repositories = new Map<string, string>();
  const server = tls ? createTlsServer(tls, answer) : createServer(answer);
  function answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname } = new URL(request.url ?? '/', 'http://server');
    git.requests.push({
      method: request.method ?? '',
      path: request.url ?? '',
      authorization: request.headers.authorization,
    });
    if (git.intercept?.(request, response)) return;
    if (!isAllowed(git.credentials, request.headers.authorization)) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end('who are you?');
      return;
    }
    const name = [...repositories.keys()].find((known) => pathname.startsWith(`/${known}/`));
    if (name === undefined) response.writeHead(404).end('no such repository');
    else
      serve(repositories.get(name) as string, pathname.slice(name.length + 1), request, response, git.tamper);
  }
  const git: GitServer = {
    url: '',
    requests: [],
    credentials: undefined,
    intercept: undefined,
    tamper: undefined,
    add: (name, gitDir) => void repositories.set(name, gitDir),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  git.url = `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return git;
}

function isAllowed(wanted: GitServer['credentials'], given: string | undefined): boolean {
  if (wanted === undefined) return true;
  if ('bearer' in wanted) return given === `Bearer ${wanted.bearer}`;
  const pair = Buffer.from(`${wanted.username}:${wanted.password}`).toString('base64');
  return given === `Basic ${pair}`;
}

/** Runs the CGI program that comes with Git. https://git-scm.com/docs/git-http-backend */
function serve(
  gitDir: string,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
  tamper: (chunk: Buffer) => Buffer = (chunk) => chunk,
): void {
  const { searchParams } = new URL(request.url ?? '/', 'http://server');
  const child = spawn('git', ['-c', 'safe.directory=*', 'http-backend'], {
    env: {
      PATH: process.env.PATH ?? '/usr/bin:/bin',
      HOME: '/nonexistent',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_PROJECT_ROOT: gitDir,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: path,
      REQUEST_METHOD: request.method ?? 'GET',
      QUERY_STRING: searchParams.toString(),
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      REMOTE_ADDR: '127.0.0.1',
    },
  });
  const body = request.headers['content-encoding'] === 'gzip' ? request.pipe(createGunzip()) : request;
  child.stdin.on('error', () => {});
  body.pipe(child.stdin);
  let head = Buffer.alloc(0);
  let started = false;
  child.stdout.on('data', (chunk: Buffer) => {
    if (started) return void response.write(tamper(chunk));
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    started = true;
    const headers = head.toString('latin1', 0, end).split('\r\n');
    let status = 200;
    for (const line of headers) {
      const [, name = '', value = ''] = /^([^:]+):\s*(.*)$/.exec(line) ?? [];
      if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10);
      else response.setHeader(name, value);
    }
    response.writeHead(status);
    response.write(tamper(head.subarray(end + 4)));
  });
  child.on('close', () => response.end());
  response.on('close', () => child.kill());
}
