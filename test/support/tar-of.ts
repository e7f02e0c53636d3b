/** An uncompressed tar of files given by path, as artifacts are stored. Paths of up to 255 bytes. */
export function tarOf(files: Readonly<Record<string, string | Uint8Array>>): Uint8Array {
  const blocks: Buffer[] = [];
  for (const path of Object.keys(files).sort()) {
    const content = Buffer.from(files[path] ?? '');
    blocks.push(header(path, content.length), content, Buffer.alloc((512 - (content.length % 512)) % 512));
  }
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** A ustar header of a regular file. https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html */
export function header(path: string, size: number, type = '0', linkTarget = ''): Buffer {
  const block = Buffer.alloc(512);
  const split = path.length > 100 ? path.indexOf('/', path.length - 101) : -1;
  block.write(path.slice(split + 1), 0);
  block.write('0000644\0', 100);
  block.write('0000000\0', 108);
  block.write('0000000\0', 116);
  block.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  block.write('00000000000\0', 136);
  block.write('        ', 148);
  block.write(type, 156);
  block.write(linkTarget, 157);
  block.write('ustar\u000000', 257);
  if (split > 0) block.write(path.slice(0, split), 345);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}
