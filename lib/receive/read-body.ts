/** Why a body was not read. */
export type BodyFault = 'too-large' | 'too-slow' | 'broken';

/**
 * Reads a request's body, counting its bytes: what `Content-Length` says is only good for refusing early.
 * @param maxBytes one byte more is `too-large`; nothing beyond it is kept
 * @param timeoutMs for the whole body, in ms
 */
export async function readBody(
  request: Request,
  maxBytes: number,
  timeoutMs: number,
): Promise<Uint8Array | BodyFault> {
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) return 'too-large';
  if (!request.body) return new Uint8Array();
  const reader = request.body.getReader();
  const { promise: timeout, resolve } = Promise.withResolvers<'too-slow'>();
  const timer = setTimeout(() => resolve('too-slow'), timeoutMs);
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for (;;) {
      const read = await Promise.race([reader.read(), timeout]);
      if (read === 'too-slow') return stop(reader, read);
      if (read.done) return join(chunks, size);
      size += read.value.byteLength;
      if (size > maxBytes) return stop(reader, 'too-large');
      chunks.push(read.value);
    }
  } catch {
    return 'broken';
  } finally {
    clearTimeout(timer);
  }
}

function stop(reader: ReadableStreamDefaultReader<Uint8Array>, fault: BodyFault): BodyFault {
  // Not awaited: a peer that never ends must not hold the answer back.
  reader.cancel().catch(() => undefined);
  return fault;
}

function join(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}
