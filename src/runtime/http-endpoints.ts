import type { Clock, Logger, Timers } from '../core/ports.ts';
import type { ServiceStatus } from '../core/status.ts';
import { renderAdminPage, renderStatusJson } from './admin-page.ts';
import type { TcpAddress } from './config/setting-types.ts';
import { routeRequest, textAnswer, type HttpAnswer, type HttpRoutes } from './http-answer.ts';
import { withSetting } from './with-setting.ts';
import { createHttpServer, type HttpServer } from './http-server.ts';
import type { AnswerIssuer } from './issuer-endpoints.ts';
import type { AnswerRevocations } from './revocation-endpoint.ts';
import { isLocalHost } from './local-host.ts';

export interface HttpEndpointsOptions {
  readonly httpAddress: TcpAddress;
  /** Undefined: no admin page. */
  readonly adminAddress: TcpAddress | undefined;
  /** Undefined while the service is ready, else why it is not: one line. */
  readonly notReady: () => string | undefined;
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
  readonly status: () => ServiceStatus;
  /** Takes what issuers deliver on the open address; undefined: nobody delivers. */
  readonly answerIssuer?: AnswerIssuer;
  /** /revocations on the admin address; undefined: there is no such thing. */
  readonly answerRevocations?: AnswerRevocations;
  readonly version: string;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
}

export interface HttpEndpoints {
  /** As bound: `0.0.0.0:9002`. */
  readonly httpAddress: string;
  readonly adminAddress: string | undefined;
  close(): Promise<void>;
}

/**
 * Serves /healthz, /readyz, /metrics and what issuers deliver on one address, and the admin page, its JSON and /revocations on another. Throws a Failure (`address_in_use`, …) where one
 * of the addresses cannot be bound; then neither is.
 */
export async function createHttpEndpoints(options: HttpEndpointsOptions): Promise<HttpEndpoints> {
  const { httpAddress, adminAddress, timers, logger } = options;
  const open = publicRoutes(options);
  const answer = (request: Parameters<typeof routeRequest>[1]): ReturnType<typeof routeRequest> =>
    options.answerIssuer?.(request) ?? routeRequest(open, request);
  const server = createHttpServer({ address: httpAddress, answer, timers, logger });
  const http = await withSetting('--http-address', server);
  let admin: HttpServer | undefined;
  try {
    admin = adminAddress && (await withSetting('--admin-address', createAdminServer(options, adminAddress)));
  } catch (failure) {
    await http.close();
    throw failure;
  }
  return {
    httpAddress: http.address,
    adminAddress: admin?.address,
    close: async () => {
      await Promise.all([http.close(), admin?.close()]);
    },
  };
}

function publicRoutes({ notReady, metrics }: HttpEndpointsOptions): HttpRoutes {
  const readiness = (): HttpAnswer => {
    const reason = notReady();
    return reason === undefined ? textAnswer(200, 'ready') : textAnswer(503, `not ready: ${reason}`);
  };
  const exposition = async (): Promise<HttpAnswer> => {
    const { contentType, text } = await metrics();
    return { status: 200, contentType, body: text };
  };
  return new Map<string, () => HttpAnswer | Promise<HttpAnswer>>([
    ['/healthz', () => textAnswer(200, 'ok')],
    ['/readyz', readiness],
    ['/metrics', exposition],
  ]);
}

function createAdminServer(options: HttpEndpointsOptions, address: TcpAddress): Promise<HttpServer> {
  const { status, version, clock, timers, logger, answerRevocations } = options;
  const routes: HttpRoutes = new Map([
    ['/', () => renderAdminPage(status(), version, clock.now())],
    ['/api/status', () => renderStatusJson(status())],
  ]);
  return createHttpServer({
    address,
    timers,
    logger,
    answer: (request) => {
      if (!isLocalHost(request.headers.host))
        return textAnswer(421, 'the admin page answers only under localhost or a literal address');
      return request.url === '/revocations' && answerRevocations !== undefined
        ? answerRevocations(request)
        : routeRequest(routes, request);
    },
  });
}
