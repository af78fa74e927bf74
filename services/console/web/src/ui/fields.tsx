// Form fields: a label, a control, a hint, and what is wrong with the value. What is wrong shows once the field was left or sent, so that nobody is told off while
// still typing the first letters.
import type { ComponentChildren } from 'preact';
import { useId, useState } from 'preact/hooks';

interface FieldProps {
  label: string;
  hint?: ComponentChildren;
  /** What is wrong, or ''. */
  problem?: string | undefined;
  /** Whether to show what is wrong even if the field was not visited yet. */
  insist?: boolean;
  optional?: boolean;
}

interface Wiring {
  id: string;
  describedBy: string | undefined;
  invalid: boolean;
  leave: () => void;
}

function Field({ label, hint, problem, insist, optional, children }: FieldProps & { children: (wiring: Wiring) => ComponentChildren }) {
  const id = useId();
  const [visited, setVisited] = useState(false);
  const shown = problem && (visited || insist) ? problem : '';
  const described = [hint ? `${id}-hint` : '', shown ? `${id}-problem` : ''].filter(Boolean).join(' ') || undefined;
  return (
    <div class={`field ${shown ? 'wrong' : ''}`}>
      <label for={id}>{label}{optional && <span class="optional"> optional</span>}</label>
      {children({ id, describedBy: described, invalid: shown !== '', leave: () => setVisited(true) })}
      {shown && <p class="problem" id={`${id}-problem`}>{shown}</p>}
      {hint && <p class="hint" id={`${id}-hint`}>{hint}</p>}
    </div>
  );
}

type TextProps = FieldProps & {
  value: string;
  onInput: (value: string) => void;
  placeholder?: string;
  mono?: boolean;
  type?: 'text' | 'password' | 'url' | 'search';
  suggestions?: string[];
  autoFocus?: boolean;
  disabled?: boolean;
  autoComplete?: string;
};

/** One line of text. Suggestions are offered, never forced. */
export function TextField({ value, onInput, placeholder, mono, type = 'text', suggestions, autoFocus, disabled, autoComplete = 'off', ...field }: TextProps) {
  return (
    <Field {...field}>
      {(wiring) => (
        <>
          <input
            id={wiring.id} {...{ type: type as 'text' }} value={value} placeholder={placeholder} class={mono ? 'mono' : ''} autoComplete={autoComplete} autoCapitalize="off" spellcheck={false}
            list={suggestions ? `${wiring.id}-list` : undefined} aria-describedby={wiring.describedBy} aria-invalid={wiring.invalid} autofocus={autoFocus} disabled={disabled}
            onInput={(event) => onInput(event.currentTarget.value)} onBlur={wiring.leave}
          />
          {suggestions && <datalist id={`${wiring.id}-list`}>{suggestions.slice(0, 500).map((item) => <option key={item} value={item} />)}</datalist>}
        </>
      )}
    </Field>
  );
}

/** Several lines of text. */
export function AreaField({ value, onInput, placeholder, rows = 3, mono = true, ...field }: FieldProps & { value: string; onInput: (value: string) => void; placeholder?: string; rows?: number; mono?: boolean }) {
  return (
    <Field {...field}>
      {(wiring) => (
        <textarea
          id={wiring.id} rows={rows} value={value} placeholder={placeholder} class={mono ? 'mono' : ''} autoComplete="off" autoCapitalize="off" spellcheck={false}
          aria-describedby={wiring.describedBy} aria-invalid={wiring.invalid} onInput={(event) => onInput(event.currentTarget.value)} onBlur={wiring.leave}
        />
      )}
    </Field>
  );
}

/** One of several values. */
export function SelectField({ value, onInput, options, disabled, ...field }: FieldProps & { value: string; onInput: (value: string) => void; options: { value: string; label: string }[]; disabled?: boolean }) {
  return (
    <Field {...field}>
      {(wiring) => (
        <select id={wiring.id} value={value} aria-describedby={wiring.describedBy} aria-invalid={wiring.invalid} disabled={disabled} onInput={(event) => onInput(event.currentTarget.value)} onBlur={wiring.leave}>
          {options.map((option) => <option key={option.value} value={option.value}>{option.label}</option>)}
        </select>
      )}
    </Field>
  );
}

/** Yes or no, sent with the form. */
export function CheckField({ label, value, onInput }: { label: string; value: boolean; onInput: (value: boolean) => void }) {
  return (
    <label class="check">
      <input type="checkbox" checked={value} onChange={(event) => onInput(event.currentTarget.checked)} />
      <span>{label}</span>
    </label>
  );
}

/** On or off, at once. */
export function Switch({ on, label, busy, disabled, onChange }: { on: boolean; label: string; busy?: boolean; disabled?: boolean; onChange: (on: boolean) => void }) {
  return (
    <button type="button" role="switch" class="switch" aria-checked={on} aria-label={label} title={label} disabled={busy || disabled} onClick={() => onChange(!on)}>
      <span class="switch-knob" />
    </button>
  );
}

/** A choice between a few views; arrow keys move, as radio buttons do. */
export function Segments<Key extends string>({ label, value, options, onChange }: { label: string; value: Key; options: { key: Key; label: string }[]; onChange: (key: Key) => void }) {
  const move = (event: KeyboardEvent, step: number) => {
    event.preventDefault();
    const index = options.findIndex((option) => option.key === value);
    const next = options[(index + step + options.length) % options.length]!;
    onChange(next.key);
    const group = (event.currentTarget as HTMLElement).parentElement;
    (group?.children[options.indexOf(next)] as HTMLElement | undefined)?.focus();
  };
  return (
    <div class="segments" role="radiogroup" aria-label={label}>
      {options.map((option) => (
        <button
          key={option.key} type="button" role="radio" aria-checked={option.key === value} tabIndex={option.key === value ? 0 : -1} onClick={() => onChange(option.key)}
          onKeyDown={(event) => {
            if (event.key === 'ArrowRight' || event.key === 'ArrowDown') move(event, 1);
            else if (event.key === 'ArrowLeft' || event.key === 'ArrowUp') move(event, -1);
          }}
        >
          {option.label}
        </button>
      ))}
    </div>
  );
}
