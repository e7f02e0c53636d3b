import type { Readable } from 'node:stream';

/** A message to or from the engine: a JSON header and bytes. */
export interface Frame {
  header: Record<string, unknown>;
  payload: Uint8Array;
}

/** The engine never sends more; a larger size means that the stream is not what we think. */
const MAX_FRAME = 1 << 30;

/** Encodes a frame as `infra/engine/frame.go` reads it: both lengths (uint32, big endian), header, payload. */
export function encodeFrame(header: object, payload: Uint8Array = new Uint8Array()): Uint8Array[] {
  const text = Buffer.from(JSON.stringify(header), 'utf8');
  const sizes = Buffer.alloc(8);
  sizes.writeUInt32BE(text.length, 0);
  sizes.writeUInt32BE(payload.length, 4);
  return [Buffer.concat([sizes, text]), payload];
}

/**
 * Reads frames from a stream until it ends.
 * @throws {Error} the stream ends within a frame, or holds something else
 */
export async function* readFrames(stream: Readable): AsyncGenerator<Frame> {
  let pending: Buffer[] = [];
  let held = 0;
  let wanted = 8;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    pending.push(chunk);
    held += chunk.length;
    while (held >= wanted) {
      const bytes = Buffer.concat(pending);
      const [headerSize, payloadSize] = [bytes.readUInt32BE(0), bytes.readUInt32BE(4)];
      const end = 8 + headerSize + payloadSize;
      if (end > MAX_FRAME) throw new Error(`the engine announced a frame of ${end} bytes`);
      if (held < end) {
        pending = [bytes];
        wanted = end;
        break;
      }
      const header = JSON.parse(bytes.toString('utf8', 8, 8 + headerSize)) as Record<string, unknown>;
      yield { header, payload: bytes.subarray(8 + headerSize, end) };
      pending = [bytes.subarray(end)];
      held -= end;
      wanted = 8;
    }
  }
  if (held > 0) throw new Error('the engine ended in the middle of an answer');
}
