// The form fields of which pushes a rule builds, with the refs that match now.
import { useState } from 'preact/hooks';
import type { ApiError } from '../api/errors';
import { shortRef } from '../model/format';
import { compilePattern, matchingRefs, type RefPatterns } from '../model/patterns';
import { isNarrowed, refPatternsOf, triggerFieldOf, triggerOf, type TriggerDraft } from '../model/trigger_draft';
import { AreaField, CheckField } from './fields';
import type { Refs } from './repository_fields';

export function TriggerFields({ draft, onChange, error, known }: { draft: TriggerDraft; onChange: (draft: TriggerDraft) => void; error: ApiError | undefined; known: Refs | undefined }) {
  const wrong = error ? triggerFieldOf(error.field) : '';
  const [filled] = useState(() => isNarrowed(triggerOf(draft)));
  const text = (field: Exclude<keyof TriggerDraft, 'ignoreSkipMarks'>) => ({
    value: draft[field], onInput: (value: string) => onChange({ ...draft, [field]: value }), optional: true, rows: 2, insist: wrong === field, problem: wrong === field ? error!.message : '',
  });
  const narrowing = wrong !== '' && wrong !== 'branches' && wrong !== 'tags';
  return (
    <>
      <div class="field-row">
        <AreaField label="Branches" {...text('branches')} placeholder={'main\nrelease/*'} hint="One pattern per line: a name, a glob, or re: and an expression for the whole ref." />
        <AreaField label="Tags" {...text('tags')} placeholder="v*" hint="With neither, the rule builds by hand only." />
      </div>
      <Matches known={known} patterns={refPatternsOf(triggerOf(draft))} />
      <details class="more" open={filled || narrowing}>
        <summary>Exceptions, paths and authors</summary>
        <div class="field-row">
          <AreaField label="Branches that do not build" {...text('excludeBranches')} placeholder="release/old-*" hint="Although a pattern above matches." />
          <AreaField label="Tags that do not build" {...text('excludeTags')} placeholder="*-rc*" />
        </div>
        <div class="field-row">
          <AreaField label="Paths that matter" {...text('paths')} placeholder={'src/**\nDockerfile'} hint="A push builds when one of its files matches. Empty: all paths." />
          <AreaField label="Paths that do not matter" {...text('excludePaths')} placeholder={'docs/\n**/*.md'} />
        </div>
        <div class="field-row">
          <AreaField label="Authors whose pushes build" {...text('authors')} placeholder="*@example.com" hint="Names or e-mail addresses. Empty: everybody." />
          <AreaField label="Authors whose pushes do not build" {...text('excludeAuthors')} placeholder="*bot*" />
        </div>
        <CheckField label="Build also when the commit’s message says [skip ci]" value={draft.ignoreSkipMarks} onInput={(ignoreSkipMarks) => onChange({ ...draft, ignoreSkipMarks })} />
      </details>
    </>
  );
}

/** Which refs of the repository the patterns match now. */
function Matches({ known, patterns }: { known: Refs | undefined; patterns: RefPatterns }) {
  if (patterns.branches.length + patterns.tags.length === 0) return <p class="hint">Builds by hand only: no push starts it.</p>;
  if (!known) return null;
  const all = [...patterns.branches, ...(patterns.excludeBranches ?? [])].map((pattern) => compilePattern(pattern, 'branch')).concat([...patterns.tags, ...(patterns.excludeTags ?? [])].map((pattern) => compilePattern(pattern, 'tag')));
  const untried = all.some((compiled) => 'problem' in compiled);
  const matched = matchingRefs(known.refs.map((ref) => ref.name ?? ''), patterns);
  const shown = matched.slice(0, 6).map((ref) => shortRef(ref).name);
  return (
    <p class={`hint ${matched.length === 0 && !untried ? 'tone-warn' : ''}`} role="status">
      {untried ? 'One expression can only be tried by the server. ' : ''}
      {matched.length === 0 ? 'No ref that is there now matches; later ones may.' : <>Matches now: <bdi>{shown.join(', ')}</bdi>{matched.length > shown.length && ` and ${matched.length - shown.length} more`}.</>}
    </p>
  );
}
