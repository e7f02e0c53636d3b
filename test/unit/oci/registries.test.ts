import { createHash } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { parseImageName } from '../../../lib/core/image-name.ts';
import { createNetworkPolicy } from '../../../lib/network.ts';
import { parseDockerConfig } from '../../../lib/oci/docker-config.ts';
import { createRegistries, type ImageAccess, type RemoteImage } from '../../../lib/oci/registries.ts';
import { RegistryError } from '../../../lib/oci/registry-error.ts';
import {
  type ScriptedAnswer,
  type ScriptedRequest,
  type ScriptedServer,
  startScripted,
} from '../../support/registry-server.ts';

const PASSWORD = 'correct horse battery';
const OTHER_PASSWORD = 'another long password';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';

const open: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.stop()));
});

async function scripted(
  answer: (request: ScriptedRequest) => ScriptedAnswer,
  address?: string,
): Promise<ScriptedServer> {
  const server = await startScripted(answer, address);
  open.push(server);
  return server;
}

let time = 1_000_000;

function registries(allow: readonly string[] = ['127.0.0.0/8']) {
  const made = createRegistries({
    policy: createNetworkPolicy({ allow }),
    timeoutMs: 5_000,
    userAgent: 'slipway/test',
    now: () => time,
  });
  open.push({ stop: () => made.close() });
  return made;
}

function imageAt(
  host: string,
  given: Partial<ImageAccess> & {
    from?: ReturnType<typeof registries>;
    auths?: Record<string, unknown>;
  } = {},
): RemoteImage {
  const parsed = parseImageName(`${host}/team/app`);
  if (!parsed.ok) throw new Error(parsed.problem);
  const { from = registries(), auths, ...access } = given;
  const config = Buffer.from(JSON.stringify({ auths: auths ?? {} }));
  return from.open(parsed.name, {
    credentials: parseDockerConfig({ '.dockerconfigjson': config }, 'Secret/a/b'),
    insecure: true,
    signal: new AbortController().signal,
    ...access,
  });
}

async function faultOf(promise: Promise<unknown>): Promise<RegistryError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(RegistryError);
  return error as RegistryError;
}

/** Everything that a server was sent, in one text. */
function sentTo(server: ScriptedServer): string {
  return server.requests
    .map(({ path, headers, body }) => `${path} ${JSON.stringify(headers)} ${body}`)
    .join('\n');
}

function expectNoCredentials(server: ScriptedServer): void {
  const sent = sentTo(server);
  expect(sent).not.toContain(PASSWORD);
  expect(sent).not.toContain(Buffer.from(`user:${PASSWORD}`).toString('base64'));
  expect(sent).not.toMatch(/"authorization"/);
}

const auth = { username: 'user', password: PASSWORD };

describe('credentials', () => {
  test('are shown by Basic to a registry that asks for them, from the second request on without being asked', async () => {
    const wanted = `Basic ${Buffer.from(`user:${PASSWORD}`).toString('base64')}`;
    const server = await scripted(({ headers }) =>
      headers.authorization === wanted
        ? { body: { tags: ['v1'] } }
        : { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } },
    );
    const image = imageAt(server.host, { auths: { [server.host]: auth } });
    expect((await image.tags())?.tags).toEqual(['v1']);
    await image.tags();
    expect(server.requests.map(({ headers }) => headers.authorization ?? 'none')).toEqual([
      'none',
      wanted,
      wanted,
    ]);
  });

  test('are changed for a token at the registry itself, which is used until it ends', async () => {
    let issued = 0;
    const server: ScriptedServer = await scripted(({ path, headers }) => {
      if (path.startsWith('/token')) {
        issued += 1;
        return { body: { token: `token-number-${issued}`, expires_in: 300 } };
      }
      return headers.authorization === `Bearer token-number-${issued}`
        ? { body: { tags: ['v1'] } }
        : {
            status: 401,
            headers: {
              'www-authenticate': `Bearer realm="http://${server.host}/token",service="s",scope="repository:other/app:push,pull"`,
            },
          };
    });
    const image = imageAt(server.host, { auths: { [server.host]: auth } });
    await image.tags();
    await image.tags();
    expect(issued).toBe(1);
    const asked = server.requests.find(({ path }) => path.startsWith('/token'));
    // What the token is good for is said by us, whatever the challenge wants.
    expect(asked?.path).toBe('/token?service=s&scope=repository%3Ateam%2Fapp%3Apull&account=user');
    expect(asked?.headers.authorization).toMatch(/^Basic /);
    time += 300_000;
    await image.tags();
    expect(issued).toBe(2);
  });

  test('that are a refresh token go into the body of a POST', async () => {
    const server: ScriptedServer = await scripted(({ path, headers, body }) => {
      if (path === '/token') return { body: { access_token: body.includes('refresh') ? 'good' : 'bad' } };
      return headers.authorization === 'Bearer good'
        ? { body: { tags: [] } }
        : {
            status: 401,
            headers: { 'www-authenticate': `Bearer realm="http://${server.host}/token",service="s"` },
          };
    });
    await imageAt(server.host, { auths: { [server.host]: { identitytoken: 'a-refresh-token' } } }).tags();
    const [asked] = server.requests.filter(({ path }) => path === '/token');
    expect(asked?.method).toBe('POST');
    expect(new URLSearchParams(asked?.body).get('refresh_token')).toBe('a-refresh-token');
    expect(new URLSearchParams(asked?.body).get('scope')).toBe('repository:team/app:pull');
  });

  test('never go to a token server on another host that the registry names', async () => {
    const attacker = await scripted(() => ({ body: { token: 'stolen' } }), '127.0.0.2');
    const server = await scripted(() => ({
      status: 401,
      headers: { 'www-authenticate': `Bearer realm="http://${attacker.host}/token",service="s"` },
    }));
    for (const entry of [auth, { identitytoken: 'a-refresh-token' }]) {
      const error = await faultOf(imageAt(server.host, { auths: { [server.host]: entry } }).tags());
      expect(error.fault).toBe('refused');
      expect(error.message).toContain(`add an entry for ${attacker.host}`);
    }
    expect(attacker.requests).toEqual([]);
  });

  test('are not sent on when the token server redirects', async () => {
    const attacker = await scripted(() => ({ body: { token: 'stolen' } }), '127.0.0.2');
    const server: ScriptedServer = await scripted(({ path }) =>
      path.startsWith('/token')
        ? { status: 302, headers: { location: `${attacker.url}/token` } }
        : { status: 401, headers: { 'www-authenticate': `Bearer realm="http://${server.host}/token"` } },
    );
    const error = await faultOf(imageAt(server.host, { auths: { [server.host]: auth } }).tags());
    expect(error.fault).toBe('refused');
    expect(attacker.requests).toEqual([]);
  });

  test('do not follow a redirect of the registry to another host, nor are they shown when that asks for them', async () => {
    const attacker = await scripted(
      () => ({ status: 401, headers: { 'www-authenticate': 'Basic realm="mine"' } }),
      '127.0.0.2',
    );
    const server = await scripted(({ path, headers }) =>
      headers.authorization === undefined
        ? { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } }
        : { status: 307, headers: { location: `${attacker.url}${path}` } },
    );
    const error = await faultOf(imageAt(server.host, { auths: { [server.host]: auth } }).tags());
    expect(error.message).toMatch(
      /redirects to 127\.0\.0\.2:\d+, which wants credentials; nothing was sent there/,
    );
    expect(attacker.requests.length).toBeGreaterThan(0);
    expectNoCredentials(attacker);
  });

  test('are those of the image only: what other entries hold stays here', async () => {
    const server = await scripted(() => ({
      status: 401,
      headers: { 'www-authenticate': 'Basic realm="x"' },
    }));
    const auths = { 'ghcr.io': { username: 'user', password: OTHER_PASSWORD } };
    const error = await faultOf(imageAt(server.host, { auths }).tags());
    expect(error.message).toMatch(/there are none for it; name a Secret that has them in spec\.secretRef/);
    expect(sentTo(server)).not.toMatch(/authorization/);
  });

  test('and tokens do not show in errors', async () => {
    const server: ScriptedServer = await scripted(({ path, headers }) => {
      if (path.startsWith('/token')) return { body: { token: 'a-secret-access-token' } };
      const body = {
        errors: [{ code: 'DENIED', message: `${headers.authorization} and ${PASSWORD} are no good` }],
      };
      return {
        status: headers.authorization ? 403 : 401,
        headers: { 'www-authenticate': `Bearer realm="http://${server.host}/token"` },
        body,
      };
    });
    const error = await faultOf(imageAt(server.host, { auths: { [server.host]: auth } }).tags());
    expect(error.fault).toBe('auth');
    expect(error.message).toMatch(/do not allow reading it \(DENIED: /);
    expect(error.message).not.toMatch(/horse|a-secret-access-token/);
  });

  test('are not shown without TLS unless that was asked for', async () => {
    const server = await scripted(() => ({ body: { tags: [] } }));
    const image = imageAt(server.host, { insecure: false, auths: { [server.host]: auth } });
    const error = await faultOf(image.tags());
    expect(error.fault).toBe('unavailable');
    expect(server.requests).toEqual([]);
  });
});

test('without credentials an anonymous token is taken from wherever the registry names', async () => {
  const tokens = await scripted(() => ({ body: { token: 'for-everybody' } }), '127.0.0.2');
  const server = await scripted(({ headers }) =>
    headers.authorization === 'Bearer for-everybody'
      ? { body: { tags: ['v1'] } }
      : {
          status: 401,
          headers: { 'www-authenticate': `Bearer realm="http://${tokens.host}/token",service="s"` },
        },
  );
  expect((await imageAt(server.host).tags())?.tags).toEqual(['v1']);
  expectNoCredentials(tokens);
});

describe('the network', () => {
  test('that is not allowed is not reached: no registry, no token server, no redirect, no next page', async () => {
    const inside = await scripted(() => ({ body: { token: 'x', tags: ['inside'] } }), '127.0.0.2');
    const answers: ScriptedAnswer[] = [
      { status: 302, headers: { location: `${inside.url}/v2/team/app/tags/list` } },
      { status: 401, headers: { 'www-authenticate': `Bearer realm="${inside.url}/token"` } },
      { headers: { link: `<${inside.url}/v2/x>; rel="next"` }, body: { tags: ['a'] } },
    ];
    for (const answer of answers) {
      const server = await scripted(() => answer);
      const error = await faultOf(imageAt(server.host, { from: registries(['127.0.0.1']) }).tags());
      expect(error.fault).toBe('refused');
    }
    const error = await faultOf(imageAt(inside.host, { from: registries(['127.0.0.1']) }).tags());
    expect(error.message).toMatch(/add the host or its address range to network\.allow/);
    expect(inside.requests).toEqual([]);
  });

  test('goes through the proxy, which is what the policy is asked about', async () => {
    const connects: string[] = [];
    const { createServer } = await import('node:http');
    const { connect } = await import('node:net');
    const proxy = createServer();
    const server = await scripted(() => ({ body: { tags: ['v1'] } }));
    const [host = '', port = ''] = server.host.split(':');
    proxy.on('connect', (request, socket) => {
      connects.push(`${request.url} ${request.headers['proxy-authorization']}`);
      const target = connect(Number(port), host, () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        target.pipe(socket).pipe(target);
      });
      target.on('error', () => socket.destroy());
      socket.on('error', () => target.destroy());
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    open.push({
      stop: async () => {
        proxy.closeAllConnections();
        proxy.close();
      },
    });
    const { port: proxyPort } = proxy.address() as { port: number };
    const through = `http://me:secret@127.0.0.1:${proxyPort}`;
    expect((await imageAt(server.host, { proxy: through }).tags())?.tags).toEqual(['v1']);
    expect(connects).toContain(`${server.host} Basic ${Buffer.from('me:secret').toString('base64')}`);
    const forbidden = imageAt(server.host, { proxy: through, from: registries(['10.0.0.0/8']) });
    expect((await faultOf(forbidden.tags())).message).toMatch(/network\.allow/);
  });
});

describe('the list of tags', () => {
  /** A registry with pages; `link` says how it tells of the next one. */
  function pages(all: readonly string[], size: number, link: (last: string) => string | undefined) {
    return scripted(({ path }) => {
      const url = new URL(path, 'http://x');
      const last = url.searchParams.get('last');
      const from = last === null ? 0 : all.findIndex((tag) => tag > last);
      const tags = from < 0 ? [] : all.slice(from, from + size);
      const end = tags.at(-1);
      const next = end !== undefined && end !== all.at(-1) ? link(end) : undefined;
      return { body: { tags }, headers: next === undefined ? {} : { link: next } };
    });
  }
  const many = Array.from({ length: 2_500 }, (_, i) => `v${String(i).padStart(5, '0')}`);

  test.each([
    ['absolute path', (last: string) => `</v2/team/app/tags/list?last=${last}&n=100>; rel="next"`],
    ['relative', (last: string) => `<list?last=${last}>; rel=next`],
    ['among others', (last: string) => `</x>; rel="prev", </v2/team/app/tags/list?last=${last}>; rel="next"`],
  ])('follows links (%s)', async (_name, link) => {
    const server = await pages(many, 100, link);
    expect((await imageAt(server.host).tags())?.tags).toEqual(many);
    expect(server.requests).toHaveLength(25);
  });

  test('is whole where a registry gives full pages and forgets the link', async () => {
    const server = await pages(many, 1_000, () => undefined);
    expect((await imageAt(server.host).tags())?.tags).toEqual(many);
  });

  test('of a registry that knows no pages is taken as it comes', async () => {
    const server = await scripted(() => ({ body: { tags: many } }));
    expect((await imageAt(server.host).tags())?.tags).toEqual(many);
    expect(server.requests).toHaveLength(2);
  });

  test('is whole or none: a page that fails gives no list', async () => {
    const server = await scripted(({ path }) =>
      path.includes('last')
        ? { status: 500 }
        : { body: { tags: ['a'] }, headers: { link: '<?last=a>; rel="next"' } },
    );
    expect((await faultOf(imageAt(server.host).tags())).fault).toBe('unavailable');
  });

  test.each([
    [
      'to itself',
      { headers: { link: '</v2/team/app/tags/list?n=1000>; rel="next"' }, body: { tags: ['a'] } },
    ],
    ['to another host', { headers: { link: '<https://example.com/x>; rel="next"' }, body: { tags: ['a'] } }],
    ['to another scheme', { headers: { link: '<file:///etc/passwd>; rel="next"' }, body: { tags: ['a'] } }],
    ['to nowhere', { headers: { link: '<http://[>; rel="next"' }, body: { tags: ['a'] } }],
    ['that is no JSON', { body: '<html>' }],
    ['that is no list', { body: { tags: 'v1' } }],
    ['that was not asked for', { status: 304 }],
    ['that is too large', { body: `{"tags":["${'x'.repeat(17 * 1024 * 1024)}"]}` }],
  ])('is refused with a link or a body %s', async (_name, answer: ScriptedAnswer) => {
    const server = await scripted(() => answer);
    expect((await faultOf(imageAt(server.host).tags())).fault).toMatch(/^(protocol|refused)$/);
    expect(server.requests.length).toBeLessThan(5);
  });

  test('leaves out what can be no tag, and what comes twice', async () => {
    const server = await scripted(() => ({
      body: { tags: ['v1', 'v1', '../x', 7, null, 'a b', '__proto__', ''] },
    }));
    expect((await imageAt(server.host).tags())?.tags).toEqual(['v1', '__proto__']);
  });

  test('is not sent again while it is the same', async () => {
    const server = await scripted(({ headers }) =>
      headers['if-none-match'] === '"1"'
        ? { status: 304 }
        : { headers: { etag: '"1"' }, body: { tags: ['v1'] } },
    );
    const image = imageAt(server.host);
    const first = await image.tags();
    expect(first).toEqual({ tags: ['v1'], validator: '"1"' });
    expect(await image.tags(first?.validator)).toBeUndefined();
  });

  test('of nothing is empty', async () => {
    const server = await scripted(() => ({ body: { name: 'team/app', tags: null } }));
    expect((await imageAt(server.host).tags())?.tags).toEqual([]);
  });
});

describe('a registry that wants fewer requests', () => {
  test('is left alone for as long as it says, by every image with the same credentials', async () => {
    let limited = true;
    const server = await scripted(() =>
      limited ? { status: 429, headers: { 'retry-after': '120' } } : { body: { tags: ['v1'] } },
    );
    const from = registries();
    expect(await faultOf(imageAt(server.host, { from }).tags())).toMatchObject({
      fault: 'rate-limited',
      retryAfter: 120_000,
    });
    limited = false;
    const asked = server.requests.length;
    time += 60_000;
    expect(await faultOf(imageAt(server.host, { from }).tags())).toMatchObject({ retryAfter: 60_000 });
    expect(server.requests).toHaveLength(asked);
    time += 60_000;
    expect((await imageAt(server.host, { from }).tags())?.tags).toEqual(['v1']);
  });
});

test('a token server that wants fewer requests says for how long', async () => {
  const server: ScriptedServer = await scripted(({ path }) =>
    path.startsWith('/token')
      ? { status: 429, headers: { 'retry-after': '7' } }
      : { status: 401, headers: { 'www-authenticate': `Bearer realm="http://${server.host}/token"` } },
  );
  expect(await faultOf(imageAt(server.host).tags())).toMatchObject({
    fault: 'rate-limited',
    retryAfter: 7_000,
  });
});

describe('a tag', () => {
  const body = JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config: {}, layers: [] });
  const digest = `sha256:${createHash('sha256').update(body).digest('hex')}`;
  const digest512 = `sha512:${createHash('sha512').update(body).digest('hex')}`;
  const answer = (more: ScriptedAnswer = {}): ScriptedAnswer => ({
    body,
    ...more,
    headers: { 'content-type': MANIFEST, 'docker-content-digest': digest, ...more.headers },
  });

  test('is resolved by one HEAD, and is undefined when there is none', async () => {
    const server = await scripted(({ path }) => (path.endsWith('/v1') ? answer() : { status: 404 }));
    const image = imageAt(server.host);
    expect(await image.resolve('v1')).toBe(digest);
    expect(await image.resolve('v2')).toBeUndefined();
    expect(new Set(server.requests.map(({ method }) => method))).toEqual(new Set(['HEAD']));
  });

  test('has the digest of its bytes where the registry does not tell', async () => {
    const server = await scripted(() => ({ body, headers: { 'content-type': MANIFEST } }));
    expect(await imageAt(server.host).resolve('v1')).toBe(digest);
  });

  test('can be read by a digest of either kind', async () => {
    const server = await scripted(({ path }) =>
      answer({ headers: { 'docker-content-digest': path.split('/').at(-1) ?? '' } }),
    );
    const image = imageAt(server.host);
    expect((await image.manifest(digest))?.digest).toBe(digest);
    expect((await image.manifest(digest512))?.digest).toBe(digest512);
  });

  test.each([
    ['other bytes than its digest says', answer({ body: `${body} ` })],
    [
      'other bytes than were asked for',
      answer({ body: '{"schemaVersion":2}', headers: { 'docker-content-digest': '' } }),
    ],
    ['a type that is none of an image', answer({ headers: { 'content-type': 'text/html' } })],
    ['a type that it does not say of itself', answer({ headers: { 'content-type': INDEX } })],
    ['no schema version 2', { headers: { 'content-type': MANIFEST }, body: '{"schemaVersion":1}' }],
    ['no JSON', { headers: { 'content-type': MANIFEST }, body: 'x' }],
    ['no object', { headers: { 'content-type': MANIFEST }, body: '[]' }],
    ['more than 4 MiB', answer({ body: 'x'.repeat(5 * 1024 * 1024) })],
  ])('whose manifest has %s is refused', async (_name, given: ScriptedAnswer) => {
    const server = await scripted(() => given);
    expect((await faultOf(imageAt(server.host).manifest(digest))).fault).toBe('protocol');
  });

  test('whose manifest is an index as well is refused', async () => {
    const both = JSON.stringify({ schemaVersion: 2, layers: [], manifests: [] });
    for (const type of [MANIFEST, INDEX]) {
      const server = await scripted(() => ({ headers: { 'content-type': type }, body: both }));
      expect((await faultOf(imageAt(server.host).manifest('v1'))).message).toMatch(/manifest and an index/);
    }
  });
});
