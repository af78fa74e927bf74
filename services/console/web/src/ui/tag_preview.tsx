// Shows which tags a rule's templates make for real refs of its repository. The rule-engine says so, some time after typing stopped.
import { useEffect, useRef, useState } from 'preact/hooks';
import { previewTags } from '../api/calls';
import { type ApiError, toApiError } from '../api/errors';
import { Debounced } from '../model/debounced';
import type { Refs } from './repository_fields';
import { Note, RefName } from './parts';

interface Question {
  templates: string[];
  refs: string[];
  commits: Record<string, string>;
}

const ASK_DELAY_MS = 300;

/** `refs` are full names. `onProblem` is told what the rule-engine says of the templates ('' = they are fine). */
export function TagPreview({ templates, refs, known, destination, onProblem }: { templates: string[]; refs: string[]; known: Refs | undefined; destination: string; onProblem: (problem: string) => void }) {
  const [rows, setRows] = useState<{ ref: string; tags: string[] }[]>([]);
  const [error, setError] = useState<ApiError>();
  const asker = useRef<Debounced<Question, { ref: string; tags: string[] }[]>>(null);
  const tell = useRef(onProblem);
  tell.current = onProblem;
  asker.current ??= new Debounced(
    (question, signal) => Promise.all(question.refs.map(async (ref) => ({ ref, tags: await previewTags(question.templates, ref, question.commits[ref] ?? '', signal) }))),
    ASK_DELAY_MS,
    (answer) => {
      setRows(answer);
      setError(undefined);
      tell.current('');
    },
    (thrown) => {
      const failure = toApiError(thrown);
      setRows([]);
      setError(failure.code === 'INVALID_ARGUMENT' ? undefined : failure);
      tell.current(failure.code === 'INVALID_ARGUMENT' ? failure.message : '');
    },
  );
  const key = JSON.stringify([templates, refs]);
  useEffect(() => {
    if (templates.length === 0 || refs.length === 0) {
      asker.current!.cancel();
      setRows([]);
      return;
    }
    const commits = Object.fromEntries((known?.refs ?? []).map((ref) => [ref.name ?? '', ref.commit ?? '']));
    asker.current!.set({ templates, refs, commits });
  }, [key, known]);
  useEffect(() => () => asker.current?.cancel(), []);
  if (error) return <Note tone="warn"><p>No preview: {error.message}</p></Note>;
  if (rows.length === 0) return <p class="hint">{templates.length === 0 ? 'Type a template to see its tags.' : 'Choose a repository above to see the tags that its branches and tags would get.'}</p>;
  return (
    <div class="preview" role="region" aria-label="Tag preview">
      <p class="hint">{known ? 'What real refs of this repository would get:' : 'What these examples would get:'}</p>
      <dl>
        {rows.map((row) => (
          <div key={row.ref}>
            <dt><RefName name={row.ref} /></dt>
            <dd>
              {row.tags.length === 0 && <span class="muted">no tag: no build</span>}
              {row.tags.map((tag) => <code key={tag} class="tag-chip" title={`${destination}:${tag}`}><bdi>{tag}</bdi></code>)}
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
