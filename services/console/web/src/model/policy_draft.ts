// How a rule's builds share the queue, while it is in a form: every value is the text in its field.
import type { BuildPolicy, SupersedePolicy } from '../api/types';

export interface PolicyDraft {
  priority: string;
  supersede: SupersedePolicy;
  concurrent: string;
  retries: string;
}

export function policyDraftOf(policy: BuildPolicy | undefined): PolicyDraft {
  const supersede = policy?.supersede ?? 'SUPERSEDE_POLICY_OFF';
  return {
    priority: policy?.priority ? String(policy.priority) : '',
    supersede: supersede === 'SUPERSEDE_POLICY_UNSPECIFIED' ? 'SUPERSEDE_POLICY_OFF' : supersede,
    concurrent: policy?.max_concurrent ? String(policy.max_concurrent) : '',
    retries: policy?.infrastructure_retries === undefined ? '' : String(policy.infrastructure_retries),
  };
}

/** What the form does not show stays as it was in `before`. */
export function policyOf(draft: PolicyDraft, before: BuildPolicy | undefined): BuildPolicy {
  const { infrastructure_retries: _, ...kept } = before ?? {};
  const retries = draft.retries.trim();
  return { ...kept, priority: Number(draft.priority.trim() || 0), supersede: draft.supersede, max_concurrent: Number(draft.concurrent.trim() || 0), ...(retries === '' ? {} : { infrastructure_retries: Number(retries) }) };
}

export function checkPolicy(draft: PolicyDraft): Record<keyof PolicyDraft, string> {
  const whole = (text: string, least: number, most: number) => (text.trim() === '' || (/^-?\d+$/.test(text.trim()) && Number(text) >= least && Number(text) <= most) ? '' : `A whole number from ${least} to ${most}, or nothing.`);
  return { priority: whole(draft.priority, -100, 100), supersede: '', concurrent: whole(draft.concurrent, 1, 100), retries: whole(draft.retries, 0, 10) };
}
