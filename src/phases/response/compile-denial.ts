import type { Denial, DenialAnswer, DenialBody, HeaderEntry } from '../../core/decision.ts';
import { reasons } from '../../core/reason.ts';
import type { Headers } from '../../core/request.ts';
import { compileOnce } from '../../std/shared-values.ts';
import type { DenialAnswerSpec, NamedHeader, ResponseSpec } from '../../policy/spec.ts';

/** Dresses a denial. `headers` of the request say what the client reads; undefined where it could not be read. */
export type DenialDressing = (denial: Denial, id: string, headers: Headers | undefined) => DenialAnswer;

/** Compiles how a policy or a rule answers what it denies: 401 and 403 may be dressed, nothing becomes an allow. */
export const compileDenial = compileOnce((spec: ResponseSpec): DenialDressing => {
  const headers = spec.headers.map(toEntry);
  const unauthenticated = compileAnswer(spec.unauthenticated, headers);
  const forbidden = compileAnswer(spec.forbidden, headers);
  const plain = compileAnswer(undefined, headers);
  return (denial, id, request) => {
    switch (reasons[denial.code].status) {
      case 401:
        return unauthenticated(denial, id, request);
      case 403:
        return forbidden(denial, id, request);
      case 200:
      case 400:
      case 503:
        return plain(denial, id, request);
    }
  };
});

/** Where no policy dresses it. */
export const plainDenial: DenialDressing = (denial, id, request) => ({ body: negotiate(denial, id, request) });

function compileAnswer(spec: DenialAnswerSpec | undefined, base: readonly HeaderEntry[]): DenialDressing {
  const own = (spec?.headers ?? []).map(toEntry);
  const names = new Set(own.map(([name]) => name));
  const headers = [...base.filter(([name]) => !names.has(name)), ...own];
  const body =
    spec?.body === undefined
      ? undefined
      : { contentType: spec.contentType ?? 'text/plain; charset=utf-8', text: spec.body };
  return (denial, id, request) => ({ status: spec?.status, headers, body: body ?? negotiate(denial, id, request) });
}

function toEntry({ name, value }: NamedHeader): HeaderEntry {
  return [name, value];
}

/** A gRPC client gets one line (the proxy makes its status message of it), a browser a small page, everybody else the usual JSON. */
function negotiate(denial: Denial, id: string, headers: Headers | undefined): DenialBody | undefined {
  if (headers === undefined) return undefined;
  if (headers.get('content-type')?.startsWith('application/grpc') === true) {
    return { contentType: 'text/plain; charset=utf-8', text: `${denial.code}: ${denial.message} (decision ${id})` };
  }
  const accept = headers.get('accept');
  if (accept === undefined || !accept.includes('text/html') || accept.includes('application/json')) return undefined;
  return { contentType: 'text/html; charset=utf-8', text: page(denial, id) };
}

function page({ code, message }: Denial, id: string): string {
  const { status } = reasons[code];
  const title =
    status === 401
      ? 'Please sign in'
      : status === 403
        ? 'Not allowed'
        : status === 400
          ? 'Bad request'
          : 'Not available';
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${title}</title></head>
<body style="font-family:sans-serif;max-width:36em;margin:4em auto;padding:0 1em">
<h1>${title}</h1><p>${escapeHtml(message)}</p><p><small>${code} · decision ${escapeHtml(id)}</small></p>
</body></html>
`;
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
