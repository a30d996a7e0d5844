import { Failure } from '../core/failure.ts';
import type { JsonObject } from '../core/json.ts';
import type { HttpClient, HttpRequest } from '../core/ports.ts';
import type { IdentityPorts } from '../phases/identity/identity-ports.ts';
import type { MessageProvider } from '../phases/identity/identity-provider.ts';
import { createIntrospectionProvider } from '../phases/identity/introspection/introspection-provider.ts';
import { textKey } from '../policy/providers/provider-material.ts';
import type { IntrospectionProviderSpec } from '../policy/provider-spec.ts';

/** What an issuer says of a token: the members of its answer, `active: true` where they do not say it; undefined: it issued no such token. */
export type TokenAnswers = (token: string) => JsonObject | undefined;

/**
 * A provider of type Introspection that asks this function in place of its endpoint, and needs neither Secret nor certificates for it; answers
 * come unsigned, and are judged as those of the endpoint are. For tests of policies, never for answers to a proxy.
 */
export function createAnsweredIntrospection(
  spec: IntrospectionProviderSpec,
  answers: TokenAnswers,
  ports: IdentityPorts,
): MessageProvider {
  const { secret } = spec.clientAuthentication;
  const open = {
    ...spec,
    ca: undefined,
    signedAnswers: false,
    clientAuthentication: { method: 'Post', secret },
  } as const;
  const keys = ['client_id', 'client_secret'];
  const texts = new Map(keys.map((key) => [textKey({ ...secret, kind: 'Secret', key }), 'stand-in']));
  return createIntrospectionProvider(open, { texts, secrets: [] }, { ...ports, http: answeringClient(answers) });
}

/** Stands for the endpoint of RFC 7662; nothing else is to be had. */
export function answeringClient(answers: TokenAnswers): HttpClient {
  return {
    get: () => Promise.reject(new Failure('offline', 'nothing is fetched offline')),
    send: (_url, request) => Promise.resolve(answerOf(request, answers)),
  };
}

function answerOf({ body }: HttpRequest, answers: TokenAnswers): Awaited<ReturnType<HttpClient['send']>> {
  const members = answers(new URLSearchParams(body).get('token') ?? '');
  const answer = members === undefined ? { active: false } : { active: true, ...members };
  return { status: 200, contentType: 'application/json', body: Buffer.from(JSON.stringify(answer)) };
}
