import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { programFile } from '../../../deploy/bundle/build-bundle.ts';
import { execForm, parseDockerfile } from '../../support/dockerfile.ts';

const source = readFileSync('deploy/Dockerfile', 'utf8');
const instructions = parseDockerfile(source);
const textsOf = (name: string): readonly string[] =>
  instructions.filter((instruction) => instruction.name === name).map(({ text }) => text);
const last = instructions.slice(instructions.findLastIndex(({ name }) => name === 'FROM'));
const inLast = (name: string): readonly string[] =>
  last.filter((instruction) => instruction.name === name).map(({ text }) => text);
/** The sources of the COPY instructions that take from the checkout. */
const copied = textsOf('COPY')
  .filter((text) => !text.startsWith('--from='))
  .flatMap((text) => text.split(/\s+/u).slice(0, -1));
const program = `/app/${programFile}`;

describe('deploy/Dockerfile', () => {
  it('copies only what is there', () => {
    expect(copied).toContain('package-lock.json');
    expect(copied.filter((path) => !existsSync(path))).toEqual([]);
  });

  it('has everything that it copies, and nothing else, in the context', () => {
    const lines = readFileSync('deploy/Dockerfile.dockerignore', 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    const [first, ...kept] = lines;
    expect([first, kept.toSorted()]).toEqual(['*', copied.map((path) => `!${path}`).toSorted()]);
  });

  it('has two stages, whose images are arguments with Node 24 and no host of a registry', () => {
    expect(textsOf('FROM')).toEqual(['${BUILD_IMAGE} AS build', '${RUNTIME_IMAGE}']);
    expect(textsOf('ARG').slice(0, 2)).toEqual(['BUILD_IMAGE=node:24-trixie', 'RUNTIME_IMAGE=debian:trixie-slim']);
    expect(textsOf('COPY').filter((text) => text.startsWith('--from=') && !text.startsWith('--from=build '))).toEqual(
      [],
    );
  });

  it('runs no script of a package and fetches nothing but what the lock file pins', () => {
    expect(textsOf('RUN').map(execForm)).toEqual([
      ['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund'],
      ['node', 'deploy/bundle/run.ts', '/portcullis'],
      ['/usr/local/bin/node', program, 'version'],
    ]);
    expect(textsOf('ADD')).toEqual([]);
  });

  it('ends as a numeric user that is not root, before anything of the program is run', () => {
    expect(textsOf('USER')).toEqual(['65532:65532']);
    const order = last.map(({ name }) => name);
    expect(order.indexOf('USER')).toBeLessThan(order.indexOf('RUN'));
    expect(order.lastIndexOf('COPY')).toBeLessThan(order.indexOf('USER'));
  });

  it('starts the program without a shell and is stopped by SIGTERM', () => {
    expect(inLast('ENTRYPOINT').map(execForm)).toEqual([['/usr/local/bin/node', program]]);
    expect(inLast('CMD').map(execForm)).toEqual([['serve']]);
    expect(inLast('STOPSIGNAL')).toEqual(['SIGTERM']);
    expect(inLast('COPY')).toContain('--from=build /portcullis /app');
    expect(existsSync('src/main.ts')).toBe(true);
  });

  it('tells what it is, and holds no secret', () => {
    const labels = [
      ...inLast('LABEL')
        .join(' ')
        .matchAll(/org\.opencontainers\.image\.([a-z]+)="([^"]+)"/gu),
    ];
    expect(labels.map(([, name]) => name)).toEqual(['title', 'description', 'licenses', 'version', 'revision']);
    const named = [...textsOf('ARG'), ...textsOf('ENV')].map((text) => text.split('=')[0]);
    expect(named).toEqual(['BUILD_IMAGE', 'RUNTIME_IMAGE', 'VERSION', 'REVISION', 'NODE_ENV']);
  });
});

describe('the reader of Dockerfiles', () => {
  it('joins lines that go on, drops comments and tells exec form from shell form', () => {
    const read = parseDockerfile('# a\nRUN curl x | sh\nLABEL a=b \\\n  c=d\n\nCMD ["serve"]\n');
    expect(read).toEqual([
      { name: 'RUN', text: 'curl x | sh' },
      { name: 'LABEL', text: 'a=b  c=d' },
      { name: 'CMD', text: '["serve"]' },
    ]);
    expect(read.map(({ text }) => execForm(text))).toEqual([undefined, undefined, ['serve']]);
    expect(() => parseDockerfile('=nothing')).toThrow('not an instruction');
  });
});
