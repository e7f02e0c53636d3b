import type { Hono } from 'hono';
import type { Log } from '../lib/log.ts';
import { openCore } from './aws/core.ts';
import type { Environment } from './aws/environment.ts';
import { type HttpHandler, httpHandler } from './aws/http-event.ts';
import { keepOpen, type Opened } from './aws/lambda.ts';
import { createRunPages } from './run-pages.ts';

/** The pages of runs, for whoever has the link of one. It reads the table and nothing else. */
export async function openApi(environment: Environment, log?: Log): Promise<Opened & { app: Hono }> {
  const core = await openCore(environment, log);
  return { ...core, app: createRunPages(core.ctx, core.open, 'links') };
}

export const handler: HttpHandler = httpHandler(keepOpen(openApi));
