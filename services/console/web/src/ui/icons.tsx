// The icons, drawn in one style: 16 × 16, strokes of 1.5 in the text's colour. They are decoration: words next to them say the same.
import type { ComponentChildren } from 'preact';

function icon(children: ComponentChildren) {
  return function Icon(props: { class?: string }) {
    return (
      <svg class={`icon ${props.class ?? ''}`} viewBox="0 0 16 16" width="16" height="16" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">
        {children}
      </svg>
    );
  };
}

export const BuildsIcon = icon(<><rect x="2" y="3" width="12" height="10" rx="1.5" /><path d="M2 6.5h12M5.5 9.5h5" /></>);
export const RulesIcon = icon(<><circle cx="4" cy="4" r="1.7" /><circle cx="4" cy="12" r="1.7" /><circle cx="12" cy="6" r="1.7" /><path d="M4 5.7v4.6M12 7.7c0 2.6-4 2-6.4 3.3" /></>);
export const EventsIcon = icon(<path d="M1.8 8.5h3l2-5.5 3 10 1.9-4.5h2.5" />);
export const ConnectionsIcon = icon(<><path d="M6.5 9.5l3-3M7 4.5l1.4-1.4a3 3 0 0 1 4.3 4.3L11.3 8.8M9 11.5l-1.4 1.4a3 3 0 0 1-4.3-4.3L4.7 7.2" /></>);
export const SettingsIcon = icon(<><path d="M2 4.5h6M12 4.5h2M2 11.5h2M8 11.5h6" /><circle cx="10" cy="4.5" r="1.8" /><circle cx="6" cy="11.5" r="1.8" /></>);
export const PlusIcon = icon(<path d="M8 3v10M3 8h10" />);
export const CheckIcon = icon(<path d="M3.5 8.5l3 3 6-7" />);
export const CrossIcon = icon(<path d="M4 4l8 8M12 4l-8 8" />);
export const CopyIcon = icon(<><rect x="5.5" y="5.5" width="8" height="8" rx="1.3" /><path d="M10.5 3.2V3A.8.8 0 0 0 9.7 2.2H3.300A.8.8 0 0 0 2.5 3v6.500a.8.8 0 0 0 .8.8h.2" /></>);
export const SearchIcon = icon(<><circle cx="7" cy="7" r="4.3" /><path d="M10.3 10.300L14 14" /></>);
export const DownIcon = icon(<path d="M8 2.500v9M4 8l4 4 4-4M3.5 14.300h9" />);
export const ChevronUpIcon = icon(<path d="M4 10l4-4 4 4" />);
export const ChevronDownIcon = icon(<path d="M4 6l4 4 4-4" />);
export const ChevronRightIcon = icon(<path d="M6 4l4 4-4 4" />);
export const RetryIcon = icon(<><path d="M13 8a5 5 0 1 1-1.5-3.6" /><path d="M13 2.300v2.700h-2.7" /></>);
export const StopIcon = icon(<><circle cx="8" cy="8" r="5.7" /><rect x="6" y="6" width="4" height="4" rx=".5" fill="currentColor" stroke="none" /></>);
export const BranchIcon = icon(<><circle cx="4.5" cy="3.8" r="1.5" /><circle cx="4.5" cy="12.2" r="1.5" /><circle cx="11.5" cy="5" r="1.5" /><path d="M4.5 5.300v5.400M11.5 6.500c0 2.5-3.5 2.3-6 3.8" /></>);
export const TagIcon = icon(<><path d="M2.5 3.300v4.200l6 6 5-5-6-6H3.300a.8.8 0 0 0-.8.8z" /><circle cx="5.3" cy="5.3" r=".6" fill="currentColor" /></>);
export const CommitIcon = icon(<><circle cx="8" cy="8" r="2.5" /><path d="M1.5 8h4M10.5 8h4" /></>);
export const UploadIcon = icon(<path d="M8 10.500V2.500M4.5 6L8 2.5 11.5 6M2.5 10.500v2a1 1 0 0 0 1 1h9a1 1 0 0 0 1-1v-2" />);
export const PlayIcon = icon(<path d="M5 3l8 5-8 5z" />);
export const SunIcon = icon(<><circle cx="8" cy="8" r="2.8" /><path d="M8 1.500v1.200M8 13.300v1.200M1.5 8h1.200M13.3 8h1.200M3.4 3.400l.8.8M11.8 11.800l.8.8M3.4 12.600l.8-.8M11.8 4.200l.8-.8" /></>);
export const MoonIcon = icon(<path d="M13.3 9.800A5.7 5.7 0 0 1 6.2 2.700a5.7 5.7 0 1 0 7.1 7.100z" />);
export const AutoIcon = icon(<><circle cx="8" cy="8" r="5.7" /><path d="M8 2.300v11.400A5.7 5.7 0 0 0 8 2.300z" fill="currentColor" stroke="none" /></>);
export const TrashIcon = icon(<path d="M2.5 4.500h11M6 4.300V2.800h4v1.500M4 4.500l.6 8.700h6.800l.6-8.700M6.7 7v4M9.3 7v4" />);
export const ClockIcon = icon(<><circle cx="8" cy="8" r="5.7" /><path d="M8 4.800V8l2.2 1.5" /></>);
export const PauseIcon = icon(<path d="M6 4v8M10 4v8" />);
export const LayersIcon = icon(<><path d="M8 2.500l5.5 2.800L8 8 2.5 5.300z" /><path d="M2.5 8.500L8 11.300l5.5-2.8" /></>);
export const WarnIcon = icon(<><path d="M8 2.500l6 10.700H2z" /><path d="M8 6.700v3M8 11.400v.1" /></>);
export const InfoIcon = icon(<><circle cx="8" cy="8" r="5.7" /><path d="M8 7.300v3.500M8 5v.1" /></>);
export const SlashIcon = icon(<><circle cx="8" cy="8" r="5.7" /><path d="M4 12l8-8" /></>);
export const WrapIcon = icon(<><path d="M2.5 4h11M2.5 8h8.500a2 2 0 0 1 0 4.200H8M2.5 12h2.5" /><path d="M9.7 10.500L8 12.200l1.7 1.6" /></>);
export const SaveIcon = icon(<path d="M8 2.500v8M4.5 7.300L8 10.800l3.5-3.500M2.5 13.500h11" />);
export const OutIcon = icon(<path d="M6.5 2.500h-3a1 1 0 0 0-1 1v9a1 1 0 0 0 1 1h3M7 8h6.500M11 5.500L13.5 8 11 10.5" />);
export const EditIcon = icon(<path d="M10.8 2.800l2.4 2.400L5.7 12.700l-3.2.8.8-3.200z" />);
export const ServerIcon = icon(<><rect x="2.5" y="3" width="11" height="4.2" rx="1" /><rect x="2.5" y="9" width="11" height="4.2" rx="1" /><path d="M5 5.100v.1M5 11.100v.1" /></>);

export function Brand() {
  return (
    <svg class="brand-mark" viewBox="0 0 32 32" width="26" height="26" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="7" class="brand-plate" />
      <path d="M10 26V13a7 7 0 0 1 14 0" fill="none" stroke="#fff" stroke-width="2.6" stroke-linecap="round" />
      <path d="M24 13v4" stroke="#fff" stroke-width="2" stroke-linecap="round" />
      <rect x="19.5" y="17" width="9" height="7" rx="1.2" fill="#fff" />
      <path d="M6.5 26.500h10" stroke="#fff" stroke-width="2.6" stroke-linecap="round" />
    </svg>
  );
}
