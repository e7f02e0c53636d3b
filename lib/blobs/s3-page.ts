/** One page of a list of objects. */
export interface S3Page {
  blobs: { key: string; size: number; modifiedAt: number }[];
  /** What asks for the next page; undefined on the last one. */
  next: string | undefined;
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/**
 * Reads an answer of ListObjectsV2. It is flat, and of its texts none holds markup.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
 * @throws Error when it is no such answer: an empty list may have something deleted
 */
export function pageOf(xml: string): S3Page {
  if (!/<ListBucketResult[\s>]/.test(xml) || !xml.trimEnd().endsWith('</ListBucketResult>'))
    throw new Error('S3 answered with something that is no list of objects');
  const blobs = [...xml.matchAll(/<Contents>(.*?)<\/Contents>/gs)].map(([, content = '']) => ({
    key: textOf(content, 'Key') ?? '',
    size: Number(textOf(content, 'Size') ?? 0),
    modifiedAt: Date.parse(textOf(content, 'LastModified') ?? '') || 0,
  }));
  const isTruncated = textOf(xml, 'IsTruncated') === 'true';
  const next = textOf(xml, 'NextContinuationToken');
  if (isTruncated && next === undefined) throw new Error('S3 did not say where its list of objects goes on');
  return { blobs, next: isTruncated ? next : undefined };
}

function textOf(xml: string, name: string): string | undefined {
  const [, text] = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml) ?? [];
  return text?.replace(/&(?:#x([0-9a-fA-F]+)|#(\d+)|(\w+));/g, (all, hex, decimal, name) => {
    if (name !== undefined) return ENTITIES[name] ?? all;
    return String.fromCodePoint(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16));
  });
}
