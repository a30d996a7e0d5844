import { denial } from '../../../core/decision.ts';
import type { ConfirmationJudge } from './judge-binding.ts';

/** RFC 9449: no proof can be judged yet, so a token that is bound to a key is refused. */
export const judgeDpopBinding: ConfirmationJudge = () => unproven;

const unproven = denial('token_binding', 'The token is bound to a DPoP key and there is no proof of it.');
