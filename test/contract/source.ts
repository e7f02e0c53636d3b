import { expect, test } from 'vitest';
import type { KubernetesObject } from '../../lib/core/object.ts';
import { parseRevision } from '../../lib/core/revision.ts';
import type { SourceKind } from '../../lib/source/source.ts';
import { failureOf, filesOf, sourceInputs } from '../support/git-source.ts';

/** A source with something in it, for the suite. */
export interface SourceSubject<T extends KubernetesObject> {
  source: SourceKind<T>;
  /** Points at what was published last. */
  object: T;
  /** Points at something that does not exist. */
  missing: T;
  /** Publishes a tree as the newest state. */
  publish(files: Record<string, string>): Promise<void>;
}

/** What every kind of source promises. */
export function describeSource<T extends KubernetesObject>(subject: () => SourceSubject<T>): void {
  test('what is fetched is what was published, under the resolved revision', async () => {
    const { source, object, publish } = subject();
    await publish({ 'a.yaml': 'a: 1\n', 'b/c.yaml': 'c: 1\n' });
    const revision = await source.resolve(object, sourceInputs());
    const fetched = await source.fetch(object, revision, sourceInputs());
    expect(fetched.revision).toBe(revision);
    expect(parseRevision(fetched.revision)?.hash).toMatch(/^[0-9a-f]{40,64}$/);
    expect(filesOf(fetched)).toEqual({ 'a.yaml': 'a: 1\n', 'b/c.yaml': 'c: 1\n' });
  });

  test('without a resolved revision the newest is fetched', async () => {
    const { source, object, publish } = subject();
    await publish({ 'a.yaml': 'a: 2\n' });
    const fetched = await source.fetch(object, undefined, sourceInputs());
    expect(filesOf(fetched)).toEqual({ 'a.yaml': 'a: 2\n' });
  });

  test('equal trees give equal bytes, whatever came in between', async () => {
    const { source, object, publish } = subject();
    const fetch = async (files: Record<string, string>) => {
      await publish(files);
      return source.fetch(object, await source.resolve(object, sourceInputs()), sourceInputs());
    };
    const first = await fetch({ 'a.yaml': 'a: 3\n' });
    const second = await fetch({ 'a.yaml': 'a: 4\n' });
    const third = await fetch({ 'a.yaml': 'a: 3\n' });
    expect(Buffer.from(third.archive).equals(Buffer.from(first.archive))).toBe(true);
    expect(Buffer.from(second.archive).equals(Buffer.from(first.archive))).toBe(false);
  });

  test('a revision that was resolved earlier can still be fetched after a newer one was published', async () => {
    const { source, object, publish } = subject();
    await publish({ 'a.yaml': 'a: 5\n' });
    const revision = await source.resolve(object, sourceInputs());
    await publish({ 'a.yaml': 'a: 6\n' });
    expect(filesOf(await source.fetch(object, revision, sourceInputs()))).toEqual({ 'a.yaml': 'a: 5\n' });
  });

  test('what is not there gives an error that names the object', async () => {
    const { source, missing } = subject();
    const error = await failureOf(source.resolve(missing, sourceInputs()));
    expect(error.message).toContain(`${missing.kind}/${missing.metadata.namespace}/${missing.metadata.name}`);
  });

  test('an aborted run ends', async () => {
    const { source, object } = subject();
    const controller = new AbortController();
    controller.abort();
    await failureOf(source.resolve(object, sourceInputs({ signal: controller.signal })));
  });

  test('many fetches at once do not disturb each other', async () => {
    const { source, object, publish } = subject();
    await publish({ 'a.yaml': 'a: 7\n' });
    const all = await Promise.all(
      Array.from({ length: 6 }, () => source.fetch(object, undefined, sourceInputs())),
    );
    for (const fetched of all) expect(filesOf(fetched)).toEqual({ 'a.yaml': 'a: 7\n' });
  });
}
