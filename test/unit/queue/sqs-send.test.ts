import { describe, expect, test } from 'vitest';
import type { AwsJson } from '../../../lib/cloud/aws-json.ts';
import { fifoEntry } from '../../../lib/queue/sqs-message.ts';
import { sendEntries } from '../../../lib/queue/sqs-send.ts';
import type { SqsEntry } from '../../../lib/queue/sqs-types.ts';

type Failure = { SenderFault: boolean; Code: string };

/** A client that takes what it is given, except where `fail` says otherwise. */
function client(fail: (body: string, tries: number) => Failure | undefined): {
  sqs: AwsJson;
  requests: string[][];
  taken: string[];
} {
  const requests: string[][] = [];
  const taken: string[] = [];
  const tries = new Map<string, number>();
  const sqs = async (_: string, { Entries: entries }: { Entries: SqsEntry[] }) => {
    requests.push(entries.map(({ MessageBody }) => MessageBody));
    const failed = entries.flatMap(({ Id, MessageBody }) => {
      const count = (tries.get(MessageBody) ?? 0) + 1;
      tries.set(MessageBody, count);
      const failure = fail(MessageBody, count);
      if (!failure) taken.push(MessageBody);
      return failure ? [{ Id, ...failure }] : [];
    });
    return failed.length === 0 ? {} : { Failed: failed };
  };
  return { sqs: sqs as AwsJson, requests, taken };
}

const timers = { set: (callback: () => void) => queueMicrotask(callback), clear() {} };

function entries(groups: readonly string[]): SqsEntry[] {
  return groups.map((group, index) =>
    fifoEntry(String(index), { group, deduplicationId: `${index}`, body: `${group} ${index}`, sentAt: 0 }),
  );
}

describe('sending to SQS', () => {
  test('puts ten messages into a request, of each group one', async () => {
    const { sqs, requests, taken } = client(() => undefined);
    const groups = Array.from({ length: 25 }, (_, index) => `g${index}`);
    await sendEntries(sqs, 'url', entries([...groups, 'g0', 'g0']), timers);
    expect(requests.map(({ length }) => length)).toEqual([10, 10, 5, 1, 1]);
    expect(taken.filter((body) => body.startsWith('g0 '))).toEqual(['g0 0', 'g0 25', 'g0 26']);
  });

  test('tries again what SQS failed to take, before the next of its group goes', async () => {
    const busy = { SenderFault: false, Code: 'ServiceUnavailable' };
    const { sqs, requests, taken } = client((body, tries) =>
      body === 'a 0' && tries < 3 ? busy : undefined,
    );
    await sendEntries(sqs, 'url', entries(['a', 'b', 'a']), timers);
    expect(requests).toEqual([['a 0', 'b 1'], ['a 0'], ['a 0'], ['a 2']]);
    expect(taken).toEqual(['b 1', 'a 0', 'a 2']);
  });

  test('fails when SQS goes on failing, or refuses a message', async () => {
    const busy = { SenderFault: false, Code: 'ServiceUnavailable' };
    const down = client(() => busy);
    await expect(sendEntries(down.sqs, 'url', entries(['a']), timers)).rejects.toThrow('ServiceUnavailable');
    expect(down.requests).toHaveLength(4);
    const refusing = client(() => ({ SenderFault: true, Code: 'InvalidMessageContents' }));
    const sending = sendEntries(refusing.sqs, 'url', entries(['a']), timers);
    await expect(sending).rejects.toThrow('InvalidMessageContents');
    expect(refusing.requests).toHaveLength(1);
  });
});
