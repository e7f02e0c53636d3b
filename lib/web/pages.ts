import { type Context, Hono } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import type { Log } from '../log.ts';
import type { Runs } from '../store/runs.ts';
import { noticePage, signInPage } from './notice-page.ts';
import { overviewPage } from './overview-page.ts';
import { runPage } from './run-page.ts';
import type { RunView } from './run-parts.ts';
import { runsPage } from './runs-page.ts';
import { localPath, SESSION_COOKIE, sameText, sessionOf } from './session.ts';
import { style } from './style.ts';

/**
 * Who may see the pages:
 * - `open`: everybody who reaches them,
 * - `links`: a run's page for whoever has its link, whose id cannot be guessed; nothing that lists runs,
 * - a token: as `links`, and all pages for whoever knows it, by signing in or as a bearer token.
 */
export type Access = 'open' | 'links' | { token(): Promise<string> };

/** What the pages show. */
export interface PagesOptions {
  runs: Pick<Runs, 'list' | 'get'>;
  /** The clusters of the fleet file, by name. */
  clusters: readonly string[];
  access: Access;
  log: Log;
  /** Epoch in ms. */
  now(): number;
}

const PAGE = 50;

/** How many runs are looked at to tell how a cluster fares. */
const LOOK_BACK = 200;

const POLICY =
  "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 26 22"><path d="M1 17 25 9v4L1 21z" fill="#7cb8ff"/><path d="M5 12c5 1 12-1 16-4l-2-5C14 6 8 7 4 6z" fill="#0b5cad"/></svg>';

/** Read-only pages, without scripts: `/`, `/runs`, `/runs/:cluster/:id`. */
export function createPages(options: PagesOptions): Hono {
  const { runs, clusters, access } = options;
  const app = new Hono();
  const view = (): RunView => ({ now: options.now() });

  app.use(async (c, next) => {
    await next();
    c.header('content-security-policy', POLICY);
    c.header('x-content-type-options', 'nosniff');
    c.header('referrer-policy', 'no-referrer');
    c.header('x-robots-tag', 'noindex');
    if (!c.req.path.startsWith('/assets/')) c.header('cache-control', 'no-store');
  });

  app.get('/assets/style.css', (c) => asset(c, style, 'text/css; charset=utf-8'));
  app.get('/assets/icon.svg', (c) => asset(c, ICON, 'image/svg+xml'));

  app.get('/runs/:cluster/:id', async (c) => {
    const run = await runs.get(c.req.param('cluster'), c.req.param('id'));
    if (!run)
      return c.html(noticePage('No such run', 'It may have been removed, or the link is not whole.'), 404);
    return c.html(runPage(run, view()));
  });

  app.get('/', async (c) => {
    if (!(await mayList(c, access))) return refuse(c, access);
    const recent = await runs.list({ limit: 20 });
    const perCluster = await Promise.all(
      clusters.map(async (cluster) => ({ cluster, runs: await runs.list({ cluster, limit: LOOK_BACK }) })),
    );
    return c.html(overviewPage(perCluster, recent, view()));
  });

  app.get('/runs', async (c) => {
    if (!(await mayList(c, access))) return refuse(c, access);
    const { cluster = '', object = '', before = '' } = c.req.query();
    const found = await runs.list({
      limit: PAGE + 1,
      ...(cluster === '' ? {} : { cluster }),
      ...(cluster === '' || object === '' ? {} : { object }),
      ...(before === '' ? {} : { before }),
    });
    const shown = found.slice(0, PAGE);
    return c.html(runsPage(shown, { cluster, object, before }, clusters, found.length > PAGE, view()));
  });

  app.post('/sign-in', async (c) => {
    if (typeof access === 'string') return c.html(noticePage('Not found', 'There is no such page.'), 404);
    const form = await c.req.parseBody();
    const next = localPath(String(form.next ?? '/'));
    const token = await access.token();
    if (token === '' || !(await sameText(String(form.token ?? ''), token)))
      return c.html(signInPage(next, true), 401);
    setCookie(c, SESSION_COOKIE, await sessionOf(token), {
      httpOnly: true,
      sameSite: 'Lax',
      path: '/',
      secure: isSecure(c),
      maxAge: 30 * 24 * 3_600,
    });
    return c.redirect(next, 303);
  });

  app.notFound((c) => c.html(noticePage('Not found', 'There is no such page.'), 404));
  app.onError((error, c) => {
    options.log.error({ error }, 'a page failed');
    return c.html(noticePage('Something went wrong', 'The error is in the log of the server.'), 500);
  });
  return app;
}

async function mayList(c: Context, access: Access): Promise<boolean> {
  if (typeof access === 'string') return access === 'open';
  const token = await access.token();
  if (token === '') return false;
  const bearer = /^Bearer (.+)$/.exec(c.req.header('authorization') ?? '')?.[1];
  if (bearer !== undefined) return sameText(bearer, token);
  return sameText(getCookie(c, SESSION_COOKIE) ?? '', await sessionOf(token));
}

function refuse(c: Context, access: Access): Response | Promise<Response> {
  if (access === 'links')
    return c.html(
      noticePage(
        'Only by link',
        'The page of a run opens from its commit status. Lists are switched off here.',
      ),
      403,
    );
  const { pathname, search } = new URL(c.req.url);
  return c.html(signInPage(localPath(`${pathname}${search}`), false), 401);
}

function asset(c: Context, body: string, type: string): Response {
  return c.body(body, 200, { 'content-type': type, 'cache-control': 'public, max-age=3600' });
}

function isSecure(c: Context): boolean {
  return new URL(c.req.url).protocol === 'https:' || c.req.header('x-forwarded-proto') === 'https';
}
