import { html } from 'hono/html';
import type { HtmlEscapedString } from 'hono/utils/html';

/** A piece of HTML in which every value was escaped. */
export type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

/** A page and what surrounds it. */
export interface PageOptions {
  title: string;
  /** The entry of the menu that it belongs to. */
  section: 'overview' | 'runs' | 'none';
  /** Reload every so many seconds, while something is still going on. */
  refreshSeconds?: number;
  body: Html;
}

const logo = html`<svg width="26" height="22" viewBox="0 0 26 22" aria-hidden="true"><path
  d="M1 17 L25 9 L25 13 L1 21 Z" fill="currentColor" opacity=".35"/><path
  d="M5 12 C10 13 17 11 21 8 L19 3 C14 6 8 7 4 6 Z" fill="currentColor"/></svg>`;

/** A whole page. */
export function layout({ title, section, refreshSeconds, body }: PageOptions): Html {
  const current = (name: string) => (name === section ? html` aria-current="page"` : '');
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${refreshSeconds === undefined ? '' : html`<meta http-equiv="refresh" content="${refreshSeconds}">`}
<title>${title} · Slipway</title>
<link rel="stylesheet" href="/assets/style.css">
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header class="top"><div>
<a class="brand" href="/">${logo}Slipway</a>
<nav aria-label="Main"><a href="/"${current('overview')}>Overview</a><a href="/runs"${current('runs')}>Runs</a></nav>
</div></header>
<main id="content">${body}</main>
</body>
</html>
`;
}
