// A box that files can be dropped on, with a button that does the same for keyboards and fingers.
import type { ComponentChildren } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { UploadIcon } from './icons';
import { Button } from './parts';

export function Dropzone({ onFile, accept, label, hint, children }: { onFile: (file: File) => void; accept: string; label: string; hint: string; children?: ComponentChildren }) {
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  return (
    <div
      class={`dropzone ${over ? 'over' : ''}`}
      onDragOver={(event) => {
        if (!event.dataTransfer?.types.includes('Files')) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        const file = event.dataTransfer?.files[0];
        setOver(false);
        if (!file) return;
        event.preventDefault();
        onFile(file);
      }}
    >
      {children}
      <div class="row">
        <Button small onClick={() => input.current?.click()}><UploadIcon /> {label}</Button>
        <span class="hint">{hint}</span>
      </div>
      <input
        ref={input} type="file" class="sr-only" tabIndex={-1} aria-label={label} accept={accept || undefined}
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          event.currentTarget.value = '';
          if (file) onFile(file);
        }}
      />
    </div>
  );
}
