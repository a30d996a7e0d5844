const name = '[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?';
const key = `(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?/)?${name}`;
const value = `(?:${name})?`;

/** `key`, `!key`, `key=value`, `key!=value`, `key in (a, b)`; the chart has the same form in its templates. */
const requirement = new RegExp(
  `^(?:! *${key}|${key}(?: *(?:==?|!=) *${value}| +(?:in|notin) *\\( *${value}(?: *, *${value})* *\\))?)$`,
  'u',
);

const maxCharacters = 1000;

/** True for a label selector as kubectl and the API server take it, such as `team=shop,tier in (a,b),!legacy`; also for the empty one, which selects all. */
export function isLabelSelector(text: string): boolean {
  if (text.trim() === '') return true;
  if (text.length > maxCharacters) return false;
  // Each requirement by itself: what is between parentheses keeps its commas.
  return text.split(/,(?![^()]*\))/u).every((one) => requirement.test(one.trim()));
}
