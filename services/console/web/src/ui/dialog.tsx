// Modal dialogs, on the browser's own <dialog>: it keeps the focus inside and closes on Escape. The focus goes back to where it was.
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import type { ApiError } from '../api/errors';
import { Button, ErrorNote } from './parts';

/** A modal dialog, open while it is rendered. */
export function Dialog({ title, children, onClose }: { title: string; children: ComponentChildren; onClose: () => void }) {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = element.current;
    const opener = document.activeElement;
    dialog?.showModal();
    return () => {
      dialog?.close();
      if (opener instanceof HTMLElement) opener.focus();
    };
  }, []);
  return (
    <dialog
      ref={element}
      class="dialog"
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  );
}

/** Asks before something that cannot be undone. */
export function Confirm(props: { title: string; children: ComponentChildren; action: string; busy: boolean; error: ApiError | undefined; onConfirm: () => void; onClose: () => void }) {
  return (
    <Dialog title={props.title} onClose={props.onClose}>
      <div class="prose">{props.children}</div>
      {props.error && <ErrorNote error={props.error} />}
      <div class="row end">
        <Button onClick={props.onClose}>Keep it</Button>
        <Button kind="danger" onClick={props.onConfirm} busy={props.busy}>{props.action}</Button>
      </div>
    </Dialog>
  );
}
