import { setTimeout as delay } from 'node:timers/promises';
import { Failure, messageOf } from '../core/failure.ts';
import type { RunningService } from '../runtime/service.ts';
import type { DevIo } from './dev-io.ts';
import { startEchoUpstream } from './echo-upstream.ts';
import { bringEnvoy } from './envoy-binary.ts';
import { createCheckFront, startEnvoyFront, type Front } from './front.ts';
import { startIssuer, type Issuer } from './issuer.ts';
import { assertPortFree } from './loopback-server.ts';
import { openQuickstartFolder, quickstartAudience, quickstartIssuerPort } from './quickstart-folder.ts';
import { samples } from './samples.ts';
import { showSamples, showTokens, signTokens } from './show-samples.ts';
import { startPortcullis } from './start-portcullis.ts';
import { tellChanges } from './tell-changes.ts';
import { watchParent } from './watch-parent.ts';

export interface DevOptions {
  /** End after the sample requests. */
  readonly once: boolean;
  /** False: no proxy, plain gRPC Check calls. */
  readonly envoy: boolean;
  /** The port that Envoy listens on; 0: any that is free. */
  readonly port: number;
}

/**
 * The demonstration: an issuer, an upstream, Portcullis on `examples/quickstart` and a real Envoy in front, all on loopback; the sample
 * requests, each with its answer and the reason; then it stays up until the signal, or ends at once. The exit code: 0 where every
 * answer was as expected, else 1. Everything that it started has ended when it resolves; it never rejects. An npm that started it and is
 * gone is as good as the signal.
 */
export async function runDev(options: DevOptions, given: DevIo): Promise<number> {
  const parent = watchParent(given.environment);
  const io = { ...given, signal: AbortSignal.any([given.signal, parent.signal]) };
  const closers: Closer[] = [];
  try {
    return await demonstrate(options, io, closers);
  } catch (error) {
    if (io.signal.aborted) return options.once ? 1 : 0;
    io.printError(messageOf(error));
    return 1;
  } finally {
    await closeAll(closers, io);
    parent.close();
  }
}

type Closer = () => Promise<void>;

async function demonstrate(options: DevOptions, io: DevIo, closers: Closer[]): Promise<number> {
  const binary = options.envoy ? await envoyOrWhyNot(io) : undefined;
  const stage = await setStage(options, binary, io, closers);
  const tokens = await signTokens(stage.issuer);
  showTokens(tokens, io.print);
  const wrong = await showSamples(stage.front, tokens, io.print);
  io.print('');
  io.print(wrong === 0 ? 'Every answer was as expected.' : `NOT as expected: ${wrong} of ${samples.length} answers.`);
  if (options.once || io.signal.aborted) return wrong === 0 ? 0 : 1;
  io.print('');
  io.print(`A token for anybody: curl -s '${stage.issuer.issuer}/token?sub=carol&roles=clerk'`);
  const change = stage.front.takesRequests ? 'change one, and the next request is judged by it' : 'change one';
  io.print(`The policies are in ${stage.policies}: ${change}; what becomes of the change is told here.`);
  io.print('Ctrl-C ends everything.');
  const telling = tellChanges({ status: () => stage.portcullis.status(), folder: process.cwd(), print: io.print });
  try {
    await untilEnough(stage.front, io.signal);
  } finally {
    telling.close();
  }
  return wrong === 0 ? 0 : 1;
}

/** The binary; undefined where none can be had, and then the user is told why and what to do. */
async function envoyOrWhyNot(io: DevIo): Promise<string | undefined> {
  try {
    return await bringEnvoy({ environment: io.environment, progress: io.print, signal: io.signal });
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'envoy_unavailable' || io.signal.aborted) throw error;
    io.printError(messageOf(error));
    io.printError('The same is shown without it: the requests go to Portcullis as gRPC Check calls.');
    return undefined;
  }
}

interface Stage {
  readonly issuer: Issuer;
  readonly front: Front;
  readonly portcullis: RunningService;
  /** The folder of the policies in force. */
  readonly policies: string;
}

/** Starts everybody, the one behind first, and says who is where. */
async function setStage(options: DevOptions, binary: string | undefined, io: DevIo, closers: Closer[]): Promise<Stage> {
  await assertPortFree(options.port);
  const issuer = await startDemoIssuer(io);
  closers.push(() => issuer.close());
  const upstream = await startEchoUpstream();
  closers.push(() => upstream.close());
  const folder = await openQuickstartFolder(issuer.issuer);
  closers.push(() => folder.close());
  const portcullis: RunningService = await startPortcullis(folder.path);
  closers.push(() => portcullis.stop());
  const authorizationAddress = portcullis.grpcAddress;
  const front =
    binary === undefined
      ? createCheckFront(authorizationAddress)
      : await startEnvoyFront({ binary, port: options.port, upstreamPort: upstream.port, authorizationAddress });
  closers.push(() => front.close());
  for (const line of [
    '',
    front.title,
    `Portcullis  ${authorizationAddress}  (its metrics: http://${portcullis.httpAddress}/metrics)`,
    `admin page  http://${portcullis.adminAddress}/`,
    `issuer      ${issuer.issuer}`,
    `service     http://127.0.0.1:${upstream.port}  (answers with what it received; nobody but Envoy should reach it)`,
    '',
  ]) {
    io.print(line);
  }
  return { issuer, front, portcullis, policies: folder.path };
}

/** On the port that the example names, else on any. */
async function startDemoIssuer(io: DevIo): Promise<Issuer> {
  try {
    return await startIssuer(quickstartIssuerPort, quickstartAudience);
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'port_in_use') throw error;
    io.print(`${error.message} The issuer takes another one, and the example's policies are copied to name it.`);
    return startIssuer(0, quickstartAudience);
  }
}

/** Resolves at the signal. Throws where the front ends before. */
async function untilEnough(front: Front, signal: AbortSignal): Promise<void> {
  const aborted = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  const failure = await Promise.race([aborted, front.ended]);
  if (failure === undefined) return;
  // Ctrl-C reaches Envoy as well, and may do so first.
  await delay(250);
  if (!signal.aborted) throw failure;
}

async function closeAll(closers: Closer[], io: DevIo): Promise<void> {
  for (const close of closers.toReversed()) {
    try {
      await close();
    } catch (error) {
      io.printError(messageOf(error));
    }
  }
}
