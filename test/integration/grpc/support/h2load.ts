import { runCommand } from '../../../../src/dev/run-command.ts';

/** What h2load counts: requests that ended as they should, and bytes of DATA, 5 of which stand before each message. */
export interface H2loadCounts {
  readonly total: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly errored: number;
  readonly timeout: number;
  /** Answers with an HTTP status of 200 to 299. */
  readonly good: number;
  readonly dataBytes: number;
}

const timeoutMs = 60_000;

/** Sends the framed message again and again with h2load, a client on nghttp2: 100 streams at once on each of ten connections. */
export async function loadByH2load(
  h2load: string,
  url: string,
  frameFile: string,
  calls: number,
  more: readonly string[] = [],
): Promise<H2loadCounts> {
  const grpc = ['-H', 'content-type: application/grpc', '-H', 'te: trailers', '-d', frameFile];
  const args = ['-n', `${calls}`, '-c', '10', '-m', '100', ...grpc, ...more, url];
  const { output } = await runCommand(h2load, args, { timeoutMs });
  const count = (pattern: RegExp): number => Number(pattern.exec(output)?.[1] ?? Number.NaN);
  return {
    total: count(/^requests: (\d+) total/mu),
    succeeded: count(/ (\d+) succeeded/u),
    failed: count(/ (\d+) failed/u),
    errored: count(/ (\d+) errored/u),
    timeout: count(/ (\d+) timeout/u),
    good: count(/^status codes: (\d+) 2xx/mu),
    dataBytes: count(/\((\d+)\) data$/mu),
  };
}
