import type { BundledPackage } from './bundled-package.ts';

const line = '='.repeat(80);

/** What the licences of the packages in the bundle ask to be kept with it; one part for each text, with the packages that it is of. */
export function thirdPartyNotices(packages: readonly BundledPackage[]): string {
  const byText = new Map<string, BundledPackage[]>();
  for (const bundled of packages) {
    const text = bundled.notices.join('\n\n');
    byText.set(text, [...(byText.get(text) ?? []), bundled]);
  }
  const parts = [...byText].map(([text, of]) => {
    const names = of.map(({ name, version, licence }) => `${name} ${version} (${licence})`);
    return `${line}\n${names.join('\n')}\n${line}\n\n${text}\n`;
  });
  return ['Portcullis contains these packages, or parts of them, under the licences below.\n', ...parts].join('\n');
}
