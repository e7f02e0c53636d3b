import { afterEach, describe, expect, it } from 'vitest';
import type { KubernetesObject } from '../../../lib/core/object.ts';
import type { KubeClient } from '../../../lib/kube/client.ts';
import type { KubeConnection } from '../../../lib/kube/connection.ts';
import { isInvalid, isNotFound, isTransient, KubeError } from '../../../lib/kube/errors.ts';
import { createKubeClient, type KubeClientOptions } from '../../../lib/kube/rest.ts';
import { type Answer, type FakeApiServer, fakeApiServer, json, refuse } from './fake-api-server.ts';

const CONFIG_MAP = { group: '', version: 'v1', kind: 'ConfigMap' };
const ref = { ...CONFIG_MAP, namespace: 'apps', name: 'x' };
const configMap: KubernetesObject = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'x', namespace: 'apps' },
  data: { a: 'b' },
};
const apply = { fieldManager: 'test', force: true };

let api: FakeApiServer | undefined;
let client: KubeClient | undefined;
let slept: number[] = [];

afterEach(async () => {
  await client?.close();
  await api?.[Symbol.asyncDispose]();
});

/** Starts a server and a client whose sleeps take no time. */
async function given(
  answer: Answer,
  connection: Partial<KubeConnection> = {},
  options: KubeClientOptions = {},
): Promise<{ api: FakeApiServer; client: KubeClient }> {
  slept = [];
  api = await fakeApiServer(answer);
  client = createKubeClient(
    { server: api.server, ...connection },
    {
      ...options,
      retry: {
        random: () => 0,
        sleep: async (ms) => {
          slept.push(ms);
        },
        ...options.retry,
      },
    },
  );
  return { api, client };
}

async function errorOf(work: Promise<unknown>): Promise<KubeError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof KubeError) return error;
  throw new Error(`expected a KubeError, got ${String(error)}`);
}

describe('a throttled request', () => {
  it('is sent again after the time that the server asked for, even a create', async () => {
    const { client, api } = await given((_request, response) => {
      if (api.seen.length === 1)
        refuse(response, 429, 'TooManyRequests', { headers: { 'retry-after': '3' } });
      else json(response, 201, configMap);
    });
    await client.create(configMap);
    expect(slept).toEqual([3_000]);
    expect(api.seen).toHaveLength(2);
  });

  it('is given up when the wait would pass the budget, and says how long the server wanted', async () => {
    const { client, api } = await given((_request, response) =>
      refuse(response, 429, 'TooManyRequests', { headers: { 'retry-after': '61' } }),
    );
    expect(await errorOf(client.get(ref))).toMatchObject({ code: 429, retryAfter: 61_000 });
    expect(api.seen).toHaveLength(1);
  });
});

describe('a request that the server cannot serve now', () => {
  it('is sent again with growing waits when it is idempotent', async () => {
    const { client, api } = await given((_request, response) => {
      if (api.seen.length < 4) refuse(response, 503, 'ServiceUnavailable');
      else json(response, 200, configMap);
    });
    await client.apply(configMap, apply);
    expect(slept).toEqual([100, 200, 400]);
  });

  it('is not sent again when it is a create or a JSON patch, which might be done twice', async () => {
    const { client, api } = await given((_request, response) => refuse(response, 503, 'ServiceUnavailable'));
    expect((await errorOf(client.create(configMap))).code).toBe(503);
    expect((await errorOf(client.patch(ref, 'json', [{ op: 'add', path: '/a/-', value: 1 }]))).code).toBe(
      503,
    );
    expect((await errorOf(client.delete(ref))).code).toBe(503);
    expect(api.seen).toHaveLength(3);
  });

  it('is given up after eight attempts', async () => {
    const { client, api } = await given((_request, response) => refuse(response, 503, 'ServiceUnavailable'));
    const error = await errorOf(client.get(ref));
    expect(isTransient(error)).toBe(true);
    expect(api.seen).toHaveLength(8);
  });
});

describe('a broken connection', () => {
  it('is made again for an apply, but not for a create that was sent', async () => {
    const { client, api } = await given((request, response) => {
      if (api.seen.length === 1 || request.method === 'POST') response.socket?.destroy();
      else json(response, 200, configMap);
    });
    await client.apply(configMap, apply);
    expect(api.seen).toHaveLength(2);
    expect(await errorOf(client.create(configMap))).toMatchObject({ code: 0 });
    expect(api.seen).toHaveLength(3);
  });

  it('lets a delete with a uid be sent again, and what is gone then counts as deleted', async () => {
    const { client, api } = await given((_request, response) => {
      if (api.seen.length === 1) response.socket?.destroy();
      else refuse(response, 404, 'NotFound');
    });
    expect(await client.delete(ref, { uid: 'u-1' })).toBe(true);
    expect(JSON.parse(api.seen[1]?.body ?? '')).toMatchObject({ preconditions: { uid: 'u-1' } });
  });
});

describe('a server that does not answer', () => {
  it('is given up after the timeout, without a retry', async () => {
    const { client, api } = await given(() => {}, {}, { timeout: 60, applyTimeout: 80 });
    // Discovery answers, so only these two time out.
    expect((await errorOf(client.get(ref))).message).toBe('get ConfigMap/apps/x: no answer within 60 ms');
    expect((await errorOf(client.apply(configMap, apply))).message).toContain('no answer within 80 ms');
    expect(api.seen).toHaveLength(2);
  });

  it('is given up when the caller aborts', async () => {
    const { client } = await given(() => {
      abort.abort();
    });
    const abort = new AbortController();
    const error = await errorOf(client.apply(configMap, { ...apply, signal: abort.signal }));
    expect(error.code).toBe(0);
    expect(error.message).toContain('aborted');
  });
});

describe('a refused credential', () => {
  it('is renewed once, for all requests together', async () => {
    let asked = 0;
    const tokenSource = async () => `token-${++asked}`;
    const { client, api } = await given(
      (request, response) => {
        if (request.headers.authorization === 'Bearer token-1') refuse(response, 401, 'Unauthorized');
        else json(response, 200, configMap);
      },
      { tokenSource },
    );
    await Promise.all([client.get(ref), client.get(ref), client.get(ref)]);
    expect(asked).toBe(2);
    expect(api.seen.at(-1)?.headers.authorization).toBe('Bearer token-2');
  });

  it('fails when the new one is refused as well, without another try', async () => {
    const { client, api } = await given((_request, response) => refuse(response, 401, 'Unauthorized'), {
      tokenSource: async () => 'same',
    });
    expect((await errorOf(client.get(ref))).code).toBe(401);
    expect(api.seen).toHaveLength(2);
  });

  it('fails at once when it is fixed', async () => {
    const { client, api } = await given((_request, response) => refuse(response, 401, 'Unauthorized'), {
      token: 'fixed',
    });
    expect((await errorOf(client.get(ref))).code).toBe(401);
    expect(api.seen).toHaveLength(1);
  });
});

describe('what is not a Kubernetes answer', () => {
  it('does not follow a redirect', async () => {
    const { client, api } = await given((_request, response) => {
      response.writeHead(302, { location: 'http://169.254.169.254/' }).end();
    });
    expect(await errorOf(client.get(ref))).toMatchObject({ code: 302 });
    expect(api.seen).toHaveLength(1);
  });

  it('asks again for an object of a version that is listed and not served yet', async () => {
    let asked = 0;
    const { client } = await given((_request, response) => {
      asked += 1;
      if (asked < 3) response.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found\n');
      else json(response, 200, configMap);
    });
    expect(await client.get(ref)).toMatchObject({ data: { a: 'b' } });
    expect(slept).toEqual([100, 200]);
  });

  it('never takes a 404 of something else for a missing object', async () => {
    const { client } = await given((_request, response) => {
      response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>not here</h1>');
    });
    for (const work of [() => client.get(ref), () => client.list(CONFIG_MAP), () => client.delete(ref)]) {
      const error = await errorOf(work());
      expect(isNotFound(error)).toBe(false);
      expect(isTransient(error)).toBe(true);
    }
  });

  it('does not take a page of text for an object', async () => {
    const { client } = await given((_request, response) => {
      response.writeHead(200).end('<html>secret-text</html>');
    });
    const error = await errorOf(client.get(ref));
    expect(error.code).toBe(0);
    expect(error.message).not.toContain('secret-text');
  });
});

describe('lists', () => {
  const page = (names: string[], token?: string) => ({
    kind: 'ConfigMapList',
    metadata: { resourceVersion: '7', ...(token ? { continue: token } : {}) },
    items: names.map((name) => ({ metadata: { name } })),
  });

  it('are read page by page, each item with its kind', async () => {
    const { client, api } = await given((request, response) => {
      const query = new URL(request.path, 'http://x').searchParams;
      json(response, 200, query.get('continue') === 'c1' ? page(['b']) : page(['a'], 'c1'));
    });
    const list = await client.list(CONFIG_MAP, { namespace: 'apps', labelSelector: 'a=b,c!=d' });
    expect(list.items).toEqual([
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } },
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'b' } },
    ]);
    expect(list.resourceVersion).toBe('7');
    expect(api.seen[1]?.path).toBe(
      '/api/v1/namespaces/apps/configmaps?limit=500&labelSelector=a%3Db%2Cc%21%3Dd&continue=c1',
    );
  });

  it('start over when a page came too late, and end up in one piece', async () => {
    const { client, api } = await given((request, response) => {
      const query = new URL(request.path, 'http://x').searchParams;
      if (query.has('continue')) refuse(response, 410, 'Expired');
      else json(response, 200, query.has('limit') ? page(['a'], 'c1') : page(['a', 'b']));
    });
    const { items } = await client.listMetadata(CONFIG_MAP);
    expect(items.map(({ metadata }) => metadata.name)).toEqual(['a', 'b']);
    expect(api.seen).toHaveLength(5);
  });

  it('are empty for kinds that are not served', async () => {
    const { client } = await given(() => {});
    expect(await client.list({ group: 'example.com', version: 'v1', kind: 'Thing' })).toEqual({
      items: [],
      resourceVersion: '',
    });
  });

  it('of metadata drop the rest when the server sends whole objects', async () => {
    const { client, api } = await given((_request, response) =>
      json(response, 200, { ...page([]), items: [{ metadata: { name: 'a' }, data: { k: 'v' } }] }),
    );
    expect((await client.listMetadata(CONFIG_MAP)).items).toEqual([
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } },
    ]);
    expect(api.seen[0]?.headers.accept).toContain('as=PartialObjectMetadataList;g=meta.k8s.io;v=v1');
  });
});

describe('what is sent', () => {
  it('is the object as it is, with the options in the query', async () => {
    const { client, api } = await given((_request, response) => json(response, 200, configMap));
    const future = { ...configMap, futureField: { deep: [1, null] } };
    await client.apply(future, { ...apply, dryRun: true, fieldValidation: 'Strict', subresource: 'status' });
    expect(api.seen[0]).toMatchObject({
      method: 'PATCH',
      path: '/api/v1/namespaces/apps/configmaps/x/status?fieldManager=test&force=true&dryRun=All&fieldValidation=Strict',
      body: JSON.stringify(future),
    });
    expect(api.seen[0]?.headers['content-type']).toBe('application/apply-patch+yaml');
  });

  it('names the user and every group that is impersonated', async () => {
    const { client, api } = await given((_request, response) => json(response, 200, configMap));
    await client.as('system:serviceaccount:apps:deployer', ['g1', 'g2']).get(ref);
    expect(api.seen[0]?.headers).toMatchObject({
      'impersonate-user': 'system:serviceaccount:apps:deployer',
      'impersonate-group': 'g1, g2',
    });
  });

  it('never leaves its place in the path, and never guesses a namespace', async () => {
    const { client, api } = await given((_request, response) => json(response, 200, configMap));
    for (const name of ['../secrets/y', 'a/b', '..', '', 'a?b', 'a%2fb']) {
      expect(isInvalid(await errorOf(client.get({ ...ref, name })))).toBe(true);
    }
    const lost = { ...configMap, metadata: { name: 'x' } };
    expect((await errorOf(client.apply(lost, apply))).message).toBe('ConfigMap/x: namespace not specified');
    expect(api.seen).toHaveLength(0);
  });

  it('brings back the warnings of the server', async () => {
    const { client } = await given((_request, response) =>
      json(response, 200, configMap, {
        warning: ['299 - "unknown field \\"spec.a\\""', '299 - "v1beta1 is deprecated, use v1"'],
      }),
    );
    const warnings: string[] = [];
    await client.apply(configMap, { ...apply, onWarning: (warning) => warnings.push(warning) });
    expect(warnings).toEqual(['unknown field "spec.a"', 'v1beta1 is deprecated, use v1']);
  });
});

describe('watches', () => {
  it('give events whole, however the stream is cut', async () => {
    const { client } = await given((_request, response) => {
      response.writeHead(200);
      const events = ['ä', 'b'].map((name) =>
        JSON.stringify({ type: 'ADDED', object: { metadata: { name } } }),
      );
      const bytes = Buffer.from(`${events.join('\n')}\n`);
      // In the middle of a character and of a line.
      const cuts = [0, bytes.indexOf(0xc3) + 1, bytes.indexOf(0x0a) + 3, bytes.length];
      const send = (index: number): void => {
        if (index + 1 >= cuts.length) response.end();
        else
          response.write(bytes.subarray(cuts[index], cuts[index + 1]), () => setImmediate(send, index + 1));
      };
      send(0);
    });
    const names: string[] = [];
    for await (const event of client.watch(CONFIG_MAP, { resourceVersion: '1' })) {
      names.push(event.object.metadata.name);
    }
    expect(names).toEqual(['ä', 'b']);
  });

  it('throw a 410 that comes in the stream', async () => {
    const { client } = await given((_request, response) => {
      response.writeHead(200);
      response.end(
        `${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' } })}\n`,
      );
    });
    const events = client.watch(CONFIG_MAP, { resourceVersion: '1' })[Symbol.asyncIterator]();
    expect(await errorOf(events.next())).toMatchObject({ code: 410, reason: 'Expired' });
  });

  it('end quietly when the caller aborts', async () => {
    const { client } = await given((_request, response) => {
      response.writeHead(200);
      response.write(`${JSON.stringify({ type: 'ADDED', object: { metadata: { name: 'a' } } })}\n`);
    });
    const abort = new AbortController();
    let count = 0;
    for await (const _event of client.watch(CONFIG_MAP, { resourceVersion: '1', signal: abort.signal })) {
      count++;
      abort.abort();
    }
    expect(count).toBe(1);
  });

  it('throw when the connection breaks', async () => {
    const { client } = await given((_request, response) => {
      response.writeHead(200);
      response.write(`${JSON.stringify({ type: 'ADDED', object: { metadata: { name: 'a' } } })}\n`, () =>
        setImmediate(() => response.socket?.destroy()),
      );
    });
    const events = client.watch(CONFIG_MAP, { resourceVersion: '1' })[Symbol.asyncIterator]();
    await events.next();
    expect(await errorOf(events.next())).toMatchObject({ code: 0 });
  });
});

describe('errors about Secrets', () => {
  it('hold no value that the server echoes, encoded or not', async () => {
    const secret: KubernetesObject = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'x', namespace: 'apps' },
      data: { a: Buffer.from('canary-value-1').toString('base64') },
      stringData: { b: 'canary-value-2' },
    };
    const echo = `canary-value-1 canary-value-2 ${Buffer.from('canary-value-2').toString('base64')} ${secret.data && 'Y2FuYXJ5LXZhbHVlLTE='}`;
    for (const [code, reason] of [
      [422, 'Invalid'],
      [400, 'BadRequest'],
      [403, 'Forbidden'],
      [409, 'Conflict'],
      [500, 'InternalError'],
    ] as const) {
      const { client, api } = await given((_request, response) =>
        refuse(response, code, reason, {
          message: `denied: ${echo}`,
          details: { causes: [{ field: 'data[a]', reason: 'FieldValueInvalid', message: echo }] },
        }),
      );
      for (const work of [
        client.apply(secret, apply),
        client.patch({ ...ref, kind: 'Secret' }, 'merge', secret),
      ]) {
        const error = await errorOf(work);
        const shown = `${error.message} ${JSON.stringify(error.status)} ${String(error.cause)}`;
        expect(shown).not.toMatch(/canary|Y2FuYXJ5/);
        expect(error.reason).toBe(reason);
        expect(shown).toContain('data[a]');
      }
      await client.close();
      await api[Symbol.asyncDispose]();
    }
  });
});
