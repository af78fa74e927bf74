// The form fields of how a rule's builds share the queue.
import { useState } from 'preact/hooks';
import type { SupersedePolicy } from '../api/types';
import { checkPolicy, type PolicyDraft } from '../model/policy_draft';
import { SelectField, TextField } from './fields';

const SUPERSEDE: { value: SupersedePolicy; label: string }[] = [
  { value: 'SUPERSEDE_POLICY_OFF', label: 'Build each push' },
  { value: 'SUPERSEDE_POLICY_SKIP_QUEUED', label: 'Skip older builds that still wait' },
  { value: 'SUPERSEDE_POLICY_CANCEL_RUNNING', label: 'Stop older builds, running ones too' },
];

export function PolicyFields({ draft, onChange, insist }: { draft: PolicyDraft; onChange: (draft: PolicyDraft) => void; insist: boolean }) {
  const found = checkPolicy(draft);
  const [filled] = useState(Boolean(draft.priority || draft.concurrent || draft.retries) || draft.supersede !== 'SUPERSEDE_POLICY_OFF');
  const set = (change: Partial<PolicyDraft>) => onChange({ ...draft, ...change });
  return (
    <details class="more" open={filled || (insist && Object.values(found).some(Boolean))}>
      <summary>Queue: priority, newer pushes, retries</summary>
      <div class="field-row">
        <SelectField label="When a newer push comes" value={draft.supersede} onInput={(supersede) => set({ supersede: supersede as SupersedePolicy })} options={SUPERSEDE} />
        <TextField label="Priority" optional value={draft.priority} insist={insist} problem={found.priority} placeholder="0" hint="-100 (last) to 100 (first) within the project." onInput={(priority) => set({ priority })} />
      </div>
      <div class="field-row">
        <TextField label="Builds at a time" optional value={draft.concurrent} insist={insist} problem={found.concurrent} placeholder="as many as the project may" onInput={(concurrent) => set({ concurrent })} />
        <TextField label="Retries" optional value={draft.retries} insist={insist} problem={found.retries} placeholder="2" hint="After a failure of the infrastructure." onInput={(retries) => set({ retries })} />
      </div>
    </details>
  );
}
