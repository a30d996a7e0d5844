import { request } from 'node:http';
import { Failure } from '../core/failure.ts';
import { isJsonObject, ownMember, type JsonObject } from '../core/json.ts';
import { codeOf } from '../std/listen.ts';
import { parseStrictJsonBytes } from '../std/strict-json.ts';
import type { RevocationReport, RevokeOptions, RevokeTokens } from './revocation-report.ts';

const maxAnswerBytes = 65_536;

export const revokeTokens: RevokeTokens = async (entry, options) => {
  const { status, body } = await post(JSON.stringify({ revocations: [entry] }), options);
  const parsed = parseStrictJsonBytes(body);
  const said = parsed.kind === 'value' && isJsonObject(parsed.value) ? parsed.value : undefined;
  return toReport(status, said, options.address);
};

function toReport(status: number, said: JsonObject | undefined, address: string): RevocationReport {
  const textAt = (name: string): string => {
    const value = said && ownMember(said, name);
    return typeof value === 'string' ? value : '';
  };
  const textsAt = (name: string): readonly string[] => {
    const value = said && ownMember(said, name);
    return Array.isArray(value) ? value.filter((text) => typeof text === 'string') : [];
  };
  const revoked = said && ownMember(said, 'revoked');
  const scope = textAt('scope');
  if (status === 200 && typeof revoked === 'number' && (scope === 'local' || scope === 'shared'))
    return {
      kind: 'revoked',
      revoked,
      scope,
      note: textAt('note'),
      until: textsAt('until')[0] ?? '',
      warnings: textsAt('warnings').map((text) => text.replace('revocations[0]: ', '')),
    };
  const error = textAt('error');
  if (error === '')
    throw new Failure('no_answer', `${address} answers ${status}, and not as the admin address of Portcullis does`);
  return { kind: 'refused', status, error, message: textAt('message') };
}

function post(
  body: string,
  { address, token, timeoutMs }: RevokeOptions,
): Promise<{ readonly status: number; readonly body: Buffer }> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void =>
      reject(
        new Failure('unreachable', `${address} cannot be reached (${codeOf(cause) || 'no answer in time'})`, { cause }),
      );
    const sent = request(
      `http://${address}/revocations`,
      {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        signal: AbortSignal.timeout(timeoutMs),
      },
      (answer) => {
        const chunks: Buffer[] = [];
        let length = 0;
        answer.on('data', (chunk: Buffer) => {
          length += chunk.length;
          if (length > maxAnswerBytes) answer.destroy();
          else chunks.push(chunk);
        });
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks) }));
        answer.on('error', fail);
      },
    );
    sent.on('error', fail);
    sent.end(body);
  });
}
