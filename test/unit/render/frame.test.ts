import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeFrame, type Frame, readFrames } from '../../../lib/render/frame.ts';

async function read(chunks: readonly Uint8Array[]): Promise<Frame[]> {
  const stream = new PassThrough();
  const frames: Frame[] = [];
  const reading = (async () => {
    for await (const frame of readFrames(stream)) frames.push(frame);
  })();
  for (const chunk of chunks) if (chunk.length > 0) stream.write(chunk);
  stream.end();
  await reading;
  return frames;
}

describe('frames', () => {
  test('come out as they went in, however the stream cuts them', async () => {
    const frame = fc.record({
      header: fc.dictionary(fc.string(), fc.jsonValue()),
      payload: fc.uint8Array({ maxLength: 300 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(frame, { maxLength: 5 }),
        fc.integer({ min: 1, max: 64 }),
        async (frames, size) => {
          const bytes = Buffer.concat(frames.flatMap(({ header, payload }) => encodeFrame(header, payload)));
          const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
            bytes.subarray(n * size, (n + 1) * size),
          );
          const result = await read(chunks);
          expect(result.map(({ header }) => JSON.stringify(header))).toEqual(
            frames.map(({ header }) => JSON.stringify(header)),
          );
          expect(result.map(({ payload }) => [...payload])).toEqual(
            frames.map(({ payload }) => [...payload]),
          );
        },
      ),
      { numRuns: 50 },
    );
  });

  test('that are cut short are an error', async () => {
    const bytes = Buffer.concat(encodeFrame({ a: 1 }, new Uint8Array(10)));
    await expect(read([bytes.subarray(0, -1)])).rejects.toThrow(/middle of an answer/);
    await expect(read([bytes.subarray(0, 3)])).rejects.toThrow(/middle of an answer/);
  });

  test('of absurd size are refused before memory is taken for them', async () => {
    await expect(read([Buffer.from('ffffffffffffffff', 'hex')])).rejects.toThrow(/announced/);
  });
});
