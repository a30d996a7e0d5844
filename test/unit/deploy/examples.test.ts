import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { formatProblem } from '../../../src/core/problem.ts';
import { validateSources } from '../../../src/runtime/validate.ts';

describe.each(['envoy', 'istio', 'envoy-gateway'])('deploy/%s', (name) => {
  it('is shown whole in its guide', () => {
    const guide = readFileSync(`docs/${name}.md`, 'utf8');
    const files = readdirSync(`deploy/${name}`).filter((file) => file.endsWith('.yaml'));
    expect(files).not.toEqual([]);
    for (const file of files)
      expect(guide).toContain(
        `<!-- deploy/${name}/${file} -->\n\`\`\`yaml\n${readFileSync(`deploy/${name}/${file}`, 'utf8')}\`\`\`\n`,
      );
    expect(guide.match(/```yaml/gu)).toHaveLength(files.length);
  });
});

it.each(['istio', 'envoy-gateway'])('the policies of deploy/%s are valid', async (name) => {
  const report = await validateSources([`deploy/${name}/access-policy.yaml`], () => Promise.resolve(''));
  expect(report.problems.map(formatProblem)).toEqual([]);
  expect(report.documents.length).toBeGreaterThan(1);
});
