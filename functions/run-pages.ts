import type { Hono } from 'hono';
import type { Core } from '../lib/pipeline/context.ts';
import { type Access, createPages } from '../lib/web/pages.ts';
import type { OpenFleet } from './open-fleet.ts';

/** The pages of runs. */
export function createRunPages({ index, log, now }: Core, { fleet }: OpenFleet, access: Access): Hono {
  const clusters = fleet.clusters.map(({ name }) => name);
  return createPages({ runs: index.runs, clusters, access, log, now });
}
