import { html } from 'hono/html';
import { type Html, layout } from './layout.ts';

/** A page that says one thing. */
export function noticePage(title: string, text: string): Html {
  return layout({
    title,
    section: 'none',
    body: html`<div class="card narrow"><h1>${title}</h1><p>${text}</p></div>`,
  });
}

/**
 * Asks for the token.
 * @param next where to go afterwards: a path of these pages
 * @param failed whether a wrong one was given just now
 */
export function signInPage(next: string, failed: boolean): Html {
  return layout({
    title: 'Sign in',
    section: 'none',
    body: html`<div class="card narrow"><h1>Sign in</h1>
<p class="quiet">These pages are for those who know the token that the operator set.</p>
${failed ? html`<p class="badge failure" role="alert"><span aria-hidden="true">✕</span>That is not the token.</p>` : ''}
<form action="/sign-in" method="post"><input type="hidden" name="next" value="${next}">
<label>Token<input type="password" name="token" autocomplete="current-password" required autofocus></label>
<button type="submit">Sign in</button></form></div>`,
  });
}
