import { isIP } from 'node:net';
import type { Command } from 'commander';
import type { HeaderEntry } from '../core/decision.ts';
import type { RequestRoute } from '../core/request.ts';
import type { ProxiedRequest } from '../runtime/check-report.ts';
import { UsageError } from './cli-command.ts';
import type { CliIo } from './cli-io.ts';
import { collect } from './policy-flags.ts';
import { readText, readToken } from './read-token.ts';

/** How a request is described on the command line, in the words of curl. */
export interface RequestFlags {
  readonly request: string;
  readonly header?: readonly string[];
  readonly token?: string;
  readonly context?: readonly string[];
  readonly route?: string;
  readonly clientIp: string;
  readonly principal?: string;
  readonly certificate?: string;
  readonly headerMap?: true;
}

/** Adds the options that describe a request, and the URL as the argument. */
export function addRequestFlags(command: Command): void {
  command
    .argument('<URL>', 'http://HOST/PATH?QUERY; sent as it is written, nothing is normalised')
    .option('-X, --request <METHOD>', 'the method', 'GET')
    .option('-H, --header <NAME: VALUE>', 'a header; may be repeated', collect)
    .option('--token <TOKEN>', 'sent as Authorization: Bearer; @FILE reads a file, - standard input')
    .option(
      '--context <NAME=VALUE>',
      "a context extension, as the proxy's configuration sets them; may be repeated",
      collect,
    )
    .option(
      '--route <KIND/NAMESPACE/NAME[/RULE]>',
      'the route that the proxy says it chose, as HTTPRoute/shop/orders or HTTPRoute/shop/orders/admin',
    )
    .option('--client-ip <ADDRESS>', "the address of the proxy's direct peer", '127.0.0.1')
    .option('--principal <NAME>', 'the name in the certificate that the client showed the proxy, as spiffe://…')
    .option(
      '--certificate <FILE>',
      'the certificate itself, a PEM file, as a proxy with include_peer_certificate sends it',
    )
    .option(
      '--header-map',
      'several headers of one name each by itself (Envoy 1.30 and later), not joined with a comma',
    );
}

/** The request that the flags describe. Throws a UsageError that never holds the token. */
export async function readRequestFlags(url: string, flags: RequestFlags, io: CliIo): Promise<ProxiedRequest> {
  const { scheme, host, target } = readUrl(url);
  const headers = (flags.header ?? []).map(readHeader);
  if (isIP(flags.clientIp) === 0) throw new UsageError(`--client-ip: ${JSON.stringify(flags.clientIp)} is no address`);
  const token = flags.token === undefined ? undefined : await readToken(flags.token, io);
  const authorization: readonly HeaderEntry[] = token === undefined ? [] : [['authorization', `Bearer ${token}`]];
  return {
    method: flags.request,
    target,
    host: headers.find(([name]) => name === 'host')?.[1] ?? host,
    scheme,
    headers: [...headers.filter(([name]) => name !== 'host'), ...authorization],
    form: flags.headerMap === true ? 'apart' : 'joined',
    clientAddress: flags.clientIp,
    ...(await readPeer(flags, io)),
    contextExtensions: Object.fromEntries((flags.context ?? []).map(readContext)),
    route: flags.route === undefined ? undefined : readRoute(flags.route),
  };
}

/** A PEM file may hold more than the certificate; proxies send that alone. */
async function readPeer(
  { principal, certificate: file }: RequestFlags,
  io: CliIo,
): Promise<Pick<ProxiedRequest, 'peer'>> {
  if (principal === undefined && file === undefined) return {};
  const text = file === undefined ? undefined : await readText(`@${file}`, io);
  const certificate = text && /-----BEGIN CERTIFICATE-----\r?\n[^-]+-----END CERTIFICATE-----/.exec(text)?.[0];
  if (text !== undefined && certificate === undefined)
    throw new UsageError(`--certificate: ${JSON.stringify(file)} holds no PEM certificate`);
  return { peer: { principal, certificate: certificate && `${certificate.replaceAll('\r', '')}\n` } };
}

/** Not with the class URL, which would resolve dot segments and re-encode: what is ambiguous is what one wants to ask about. */
function readUrl(url: string): { readonly scheme: string; readonly host: string; readonly target: string } {
  const parts = /^(https?):\/\/([^/?]+)(\/[^?]*)?(\?.*)?$/s.exec(url);
  if (parts === null) throw new UsageError(`${JSON.stringify(url)} is no URL: write http://HOST/PATH`);
  const [, scheme = '', host = '', path = '/', query = ''] = parts;
  return { scheme, host, target: `${path}${query}` };
}

function readHeader(text: string): HeaderEntry {
  const colon = text.indexOf(':');
  if (colon < 1) throw new UsageError(`--header: ${JSON.stringify(text)} has no name: write 'NAME: VALUE'`);
  return [text.slice(0, colon).trim().toLowerCase(), text.slice(colon + 1).trim()];
}

function readContext(text: string): readonly [string, string] {
  const equals = text.indexOf('=');
  if (equals < 1) throw new UsageError(`--context: ${JSON.stringify(text)} has no name: write NAME=VALUE`);
  return [text.slice(0, equals), text.slice(equals + 1)];
}

function readRoute(text: string): RequestRoute {
  const [kind = '', namespace = '', name = '', section = '', ...rest] = text.split('/');
  if (namespace === '' || name === '' || rest.length > 0 || !['HTTPRoute', 'GRPCRoute'].includes(kind))
    throw new UsageError(`--route: ${JSON.stringify(text)} is no route: write HTTPRoute/NAMESPACE/NAME or GRPCRoute/…`);
  return { kind, namespace, name, section, annotations: new Map() };
}
