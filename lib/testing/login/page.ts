import { createHash } from 'node:crypto'
import { html, Html } from './html.js'
import type { LoginUser } from './options.js'
import type { Reply } from './reply.js'

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 26rem; margin: 2rem auto; padding: 0 1rem; background: #fff; color: #1a1a1a }
label, input, button { display: block; width: 100%; box-sizing: border-box; font: inherit }
input, button { margin: .25rem 0 1rem; padding: .5rem; border: 1px solid #666; border-radius: .25rem; color: inherit; background: transparent }
button { background: #1746a2; border-color: #1746a2; color: #fff; cursor: pointer }
:focus-visible { outline: 3px solid #b35900; outline-offset: 2px }
.warning { padding: .5rem 1rem; border-left: .3rem solid #b35900; background: #fff3e0; color: #1a1a1a }
[role=alert] { padding: .5rem 1rem; border-left: .3rem solid #b00020; background: #fdecef; color: #1a1a1a }
table { width: 100%; border-collapse: collapse } th, td { padding: .25rem .125rem; text-align: left; border-bottom: 1px solid #888 }
td span { white-space: nowrap }
@media (prefers-color-scheme: dark) { body { background: #16181c; color: #e8e8e8 } }`

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64')

/** The content of the login page. */
export interface LoginForm {
  realm: string
  /** The address that the form is sent to: that of the authorization request. */
  action: string
  username: string
  error?: string
  /** The second factor, if the level asks for one. */
  code: string | undefined
  users: ReadonlyMap<string, LoginUser>
  /** The client of the users' roles. */
  roleClient: string
  /** The origin to which the answer redirects. */
  origin: string
}

export function loginPage ({ realm, action, username, error, code, users, roleClient, origin }: LoginForm): Reply {
  const rows = [...users].map(([name, { password, roles = [] }]) =>
    html`<tr><th scope="row">${name}</th><td><code>${password}</code></td><td>${rolesOf(roles)}</td></tr>`)
  // Chromium applies form-action to the redirect after the form, too.
  return page(200, `Log in to ${realm}`, html`
${error === undefined ? '' : html`<p role="alert">${error}</p>`}
<form method="post" action="${action}">
<label for="username">Username</label>
<input id="username" name="username" value="${username}" autocomplete="username" autocapitalize="none" spellcheck="false" required autofocus>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
${code === undefined ? '' : codeField(code)}<button>Log in</button>
</form>
<table><caption>Test users, and their roles of the client ${roleClient}</caption>
<thead><tr><th scope="col">Username</th><th scope="col">Password</th><th scope="col">Roles</th></tr></thead>
<tbody>${rows}</tbody></table>`, `form-action 'self' ${origin}`)
}

function codeField (code: string): Html {
  return html`<label for="otp">One-time code (here always <code>${code}</code>)</label>
<input id="otp" name="otp" inputmode="numeric" autocomplete="one-time-code" required>
`
}

/** Keeps a browser from breaking a line at the hyphen of a role's name. */
function rolesOf (roles: readonly string[]): Html[] | string {
  if (roles.length === 0) return 'none'
  return roles.map((role, at) => html`${at === 0 ? '' : ', '}${role.includes('-') ? html`<span>${role}</span>` : role}`)
}

/** A page with one message. */
export function messagePage (status: number, title: string, message: string): Reply {
  return page(status, title, html`<p>${message}</p>`, "form-action 'none'")
}

function page (status: number, title: string, content: Html, formAction: string): Reply {
  return {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; ${formAction}; base-uri 'none'; frame-ancestors 'none'`
    },
    body: html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title><style>${new Html(STYLE)}</style></head>
<body><main>
<h1>${title}</h1>
<p class="warning"><strong>A test realm.</strong> Its users, passwords and keys are known to everybody: never for production.</p>
${content}
</main></body>
</html>
`.text
  }
}
