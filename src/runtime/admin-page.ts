import { formatProblem, type Problem } from '../core/problem.ts';
import type { RevocationStatus } from '../core/revocation.ts';
import type {
  DocumentStatus,
  HostConflict,
  ProviderCondition,
  ServiceStatus,
  StoreStatus,
  WorkersStatus,
} from '../core/status.ts';
import { sha256Base64 } from '../std/sha256.ts';
import type { HttpAnswer } from './http-answer.ts';

const style = `
body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1c2430;background:#fff}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #d8dde5;vertical-align:top}
code,pre{font:13px/1.4 ui-monospace,monospace}pre{white-space:pre-wrap;margin:.2rem 0}
.good{color:#17663a}.bad{color:#a3191f}.warn{color:#855b00}
@media(prefers-color-scheme:dark){body{color:#dfe5ee;background:#14181f}th,td{border-color:#323a47}.good{color:#6fd39b}.bad{color:#ff8a8a}.warn{color:#e8bd60}}
`;

/** Nothing but our own style: no script, no image, no frame, no form. */
const headers = {
  'content-security-policy': `default-src 'none'; style-src 'sha256-${sha256Base64(style)}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
} as const;

/** More than fit on a page that can be read; /api/status has all. */
const maxRows = 500;

/** The admin page: one HTML document that needs nothing else. `now` is in milliseconds since the epoch. */
export function renderAdminPage(status: ServiceStatus, version: string, now: number): HttpAnswer {
  const body = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="5">
<title>Portcullis</title><style>${style}</style></head><body>
<h1>Portcullis ${escapeHtml(version)}</h1>
<p>${status.ready ? '<b class="good">ready</b>' : '<b class="bad">not ready</b>'},
revision <b>${status.revision}</b>, policies read ${status.lastReadAt === undefined ? 'never' : `${seconds(now - status.lastReadAt)} ago`}.
The same as JSON: <a href="/api/status">/api/status</a></p>
${status.problems.length === 0 ? '' : `<h2>Problems</h2>${renderProblems(status.problems)}`}
${status.workers === undefined ? '' : `<h2>Workers</h2>${renderWorkers(status.workers)}`}
${status.store === undefined ? '' : `<h2>Redis</h2>${renderStore(status.store)}`}
<h2>Documents</h2>${renderDocuments(status.documents)}
<h2>Identity providers</h2>${renderProviders(status.providers)}
${status.revocations === undefined ? '' : `<h2>Revocations</h2>${renderRevocations(status.revocations)}`}
</body></html>
`;
  return { status: 200, contentType: 'text/html; charset=utf-8', body, headers };
}

/** The status as JSON. */
export function renderStatusJson(status: ServiceStatus): HttpAnswer {
  return { status: 200, contentType: 'application/json', body: `${JSON.stringify(status)}\n`, headers };
}

function renderDocuments(documents: readonly DocumentStatus[]): string {
  if (documents.length === 0) return '<p>None.</p>';
  // What does not serve as written comes first.
  const sorted = documents.toSorted((a, b) => Number(a.serving === 'current') - Number(b.serving === 'current'));
  const rows = sorted
    .slice(0, maxRows)
    .map(
      ({ key, serving, problems, conflicts }) =>
        `<tr><td><code>${escapeHtml(key)}</code></td><td class="${classOf(serving)}">${wordsOf(serving)}</td><td>${renderConflicts(conflicts)}${renderProblems(problems)}</td></tr>`,
    );
  const more = sorted.length > maxRows ? `<p>And ${sorted.length - maxRows} more.</p>` : '';
  return `<table><tr><th>Document</th><th>Serving</th><th>Problems</th></tr>${rows.join('')}</table>${more}`;
}

function classOf(serving: DocumentStatus['serving']): string {
  return { current: 'good', 'last-good': 'warn', refused: 'bad' }[serving];
}

function wordsOf(serving: DocumentStatus['serving']): string {
  return { current: 'as written', 'last-good': 'the version before', refused: 'nothing; denied with 503' }[serving];
}

function renderProviders(providers: readonly ProviderCondition[]): string {
  if (providers.length === 0) return '<p>None.</p>';
  const rows = providers.slice(0, maxRows).map(({ key, keys, keyAgeSeconds, lastError }) => {
    const age = keyAgeSeconds === undefined ? '' : seconds(keyAgeSeconds * 1000);
    return `<tr><td><code>${escapeHtml(key)}</code></td><td>${keys}</td><td>${age}</td><td class="bad">${escapeHtml(lastError ?? '')}</td></tr>`;
  });
  return `<table><tr><th>Provider</th><th>Keys</th><th>Fetched before</th><th>Last error</th></tr>${rows.join('')}</table>`;
}

function renderWorkers({ wanted, serving, sent, inForce }: WorkersStatus): string {
  const state = `<b class="${serving === wanted ? 'good' : 'bad'}">${serving} of ${wanted}</b> serve`;
  return `<p>${state}; change ${inForce} of the policies is in force at all of them${sent === inForce ? '' : `, <b class="warn">${sent} is on its way</b>`}.</p>`;
}

function renderStore({ address, isUp, lastError }: StoreStatus): string {
  const state = isUp ? '<b class="good">up</b>' : `<b class="bad">down</b>: ${escapeHtml(lastError ?? '')}`;
  return `<p><code>${escapeHtml(address)}</code> ${state}</p>`;
}

/** Counts alone: what is revoked names people. */
function renderRevocations({ sources, signals, widened }: RevocationStatus): string {
  const rows = sources.map(({ source, entries, failure, problem }) => {
    const wrong = [failure, problem].filter((why) => why !== undefined).join('; ');
    return `<tr><td>${escapeHtml(source)}</td><td>${entries}</td><td class="bad">${escapeHtml(wrong)}</td></tr>`;
  });
  const table =
    rows.length === 0
      ? '<p>None.</p>'
      : `<table><tr><th>Source</th><th>Entries</th><th>Wrong</th></tr>${rows.join('')}</table>`;
  return `${table}<p>Signals of issuers: ${signals}. Widened for want of room: ${widened}.</p>`;
}

function renderProblems(problems: readonly Problem[]): string {
  return problems.map((problem) => `<pre>${escapeHtml(formatProblem(problem))}</pre>`).join('');
}

function renderConflicts(conflicts: readonly HostConflict[]): string {
  return conflicts
    .map(({ host, owner }) => {
      const why = owner === undefined ? 'is granted to nobody' : `belongs to the namespace ${owner}`;
      return `<pre class="warn">${escapeHtml(`the host ${host} ${why}`)}</pre>`;
    })
    .join('');
}

function seconds(milliseconds: number): string {
  return `${Math.max(0, Math.round(milliseconds / 1000))} s`;
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
