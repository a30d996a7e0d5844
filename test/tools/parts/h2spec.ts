import { buildGoProgram } from './build-go-program.ts';
import { createPart } from './create-part.ts';
import { readGoModule } from './read-go-module.ts';

const goModule = readGoModule('h2spec', 'github.com/summerwind/h2spec');
const { neededGo } = goModule;
/** The module has no go.mod of its own, and Go says so in its version. */
const version = goModule.version.replace('+incompatible', '');

/** What holds a server to RFC 9113 and RFC 7541, case by case. */
export const h2specPart = createPart({
  name: 'h2spec',
  program: 'h2spec',
  versionArguments: ['--version'],
  versionPattern: /^Version: (\d+\.\d+\.\d+)/u,
  isRight: (found) => found === version,
  folder: `h2spec-${version}`,
  file: 'h2spec',
  effort: `${version}, built with Go in some seconds`,
  remedy: `Install Go ${neededGo} or newer and let it reach a module proxy, or put an h2spec ${version} on the PATH.`,
  fill: (folder, host) => buildGoProgram(program, folder, host),
});

const program = {
  name: 'h2spec',
  module: goModule,
  package: 'github.com/summerwind/h2spec/cmd/h2spec',
  stamp: { 'main.VERSION': version },
  packages: '80',
};
