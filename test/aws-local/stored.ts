import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { paginateScan } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, paginateListObjectsV2 } from '@aws-sdk/client-s3';
import { awsServers } from './resources.ts';

/**
 * Writes all that an installation keeps in its table and its bucket to files, so that a test can look through it: a file for each object of the
 * bucket below `blobs`, named by its key, and one for the rows.
 * @param name of the installation
 */
export async function writeStored(name: string, directory: string): Promise<void> {
  const { dynalite, fauxqs } = await awsServers();
  await mkdir(directory, { recursive: true });
  const rows: unknown[] = [];
  for await (const { Items } of paginateScan({ client: dynalite.client }, { TableName: name }))
    rows.push(...(Items ?? []));
  await writeFile(join(directory, 'rows.json'), JSON.stringify(rows));
  for await (const { Contents } of paginateListObjectsV2({ client: fauxqs.s3 }, { Bucket: name })) {
    for (const { Key = '' } of Contents ?? []) {
      const { Body } = await fauxqs.s3.send(new GetObjectCommand({ Bucket: name, Key }));
      const path = join(directory, 'blobs', Key);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, (await Body?.transformToByteArray()) ?? '');
    }
  }
}
