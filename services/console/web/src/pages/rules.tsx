// Repositories and their rules.
import { useState } from 'preact/hooks';
import { deleteRule, listConnections, listRules, setRuleEnabled } from '../api/calls';
import { mayAct } from '../api/client';
import type { Rule } from '../api/types';
import { isNarrowed } from '../model/trigger_draft';
import { Confirm } from '../ui/dialog';
import { Switch } from '../ui/fields';
import { announce, useAction, useQuery, useTitle } from '../ui/hooks';
import { BranchIcon, PlayIcon, PlusIcon, TagIcon, TrashIcon } from '../ui/icons';
import { Button, ButtonLink, Empty, ErrorNote, PageHead, Skeleton } from '../ui/parts';
import { Link } from '../ui/router';

export function RulesPage() {
  useTitle('Rules');
  const rules = useQuery('rules', listRules);
  const connections = useQuery('connections', (signal) => listConnections(signal).catch(() => undefined));
  const groups = new Map<string, Rule[]>();
  for (const rule of rules.value ?? []) {
    const key = `${rule.connection_id} ${rule.repository}`;
    groups.set(key, [...(groups.get(key) ?? []), rule]);
  }
  const noConnection = connections.value?.length === 0;
  const replace = (rule: Rule) => rules.set((rules.value ?? []).map((one) => (one.id === rule.id ? rule : one)));
  return (
    <>
      <PageHead title="Repositories and rules" lead="A rule says which pushes to a repository become which image." actions={mayAct('admin') && rules.value && rules.value.length > 0 && <ButtonLink href="/rules/new" kind="primary"><PlusIcon /> New rule</ButtonLink>} />
      {rules.error && <ErrorNote error={rules.error} retry={rules.reload} />}
      {!rules.value && rules.loading && <Skeleton />}
      {rules.value?.length === 0 && (
        <Empty title="No rules yet" action={mayAct('admin') && (noConnection ? <ButtonLink href="/connections/new" kind="primary">Connect a git server</ButtonLink> : <ButtonLink href="/rules/new" kind="primary"><PlusIcon /> Make the first rule</ButtonLink>)}>
          {noConnection ? 'First connect the git server that the repository is on; then make a rule for it.' : mayAct('admin') ? 'With a rule, pushes to a repository build by themselves.' : 'An administrator of this project can make one.'}
        </Empty>
      )}
      {[...groups].sort(([, a], [, b]) => ((a[0]!.repository ?? '') < (b[0]!.repository ?? '') ? -1 : 1)).map(([key, members]) => (
        <section key={key} class="group" aria-label={members[0]!.repository}>
          <div class="section-head">
            <h2><bdi>{members[0]!.repository}</bdi></h2>
            <span class="muted"><bdi>{connections.value?.find((one) => one.id === members[0]!.connection_id)?.display_name ?? ''}</bdi></span>
            <span class="grow" />
            <Link href={`/builds?repository=${encodeURIComponent(members[0]!.repository ?? '')}`}>Builds</Link>
            {mayAct('admin') && <Link href={`/rules/new?connection=${encodeURIComponent(members[0]!.connection_id ?? '')}&repository=${encodeURIComponent(members[0]!.repository ?? '')}`}>Add a rule</Link>}
          </div>
          <ul class="table rules">
            {members.map((rule) => <Row key={rule.id} rule={rule} onChange={replace} onDelete={() => rules.set((rules.value ?? []).filter((one) => one.id !== rule.id))} />)}
          </ul>
        </section>
      ))}
    </>
  );
}

function Row({ rule, onChange, onDelete }: { rule: Rule; onChange: (rule: Rule) => void; onDelete: () => void }) {
  const [asking, setAsking] = useState(false);
  const toggle = useAction(async (on: boolean) => {
    onChange(await setRuleEnabled(rule.id ?? '', on));
    announce(`${rule.display_name} is ${on ? 'enabled' : 'disabled'}.`);
  });
  const remove = useAction(async () => {
    await deleteRule(rule.id ?? '');
    setAsking(false);
    onDelete();
    announce(`${rule.display_name} was deleted.`);
  });
  const { branches = [], tags = [] } = rule.trigger ?? {};
  return (
    <li class="table-row">
      <Switch on={rule.enabled ?? false} label={`Pushes build by ${rule.display_name}`} busy={toggle.busy} disabled={!mayAct('admin')} onChange={(on) => void toggle.run(on)} />
      <span class="cell-source">
        <Link href={`/rules/${encodeURIComponent(rule.id ?? '')}`}><bdi class="clip">{rule.display_name}</bdi></Link>
        <span class="muted small clip"><code><bdi>{rule.destination?.repository}</bdi></code></span>
      </span>
      <span class="patterns">
        {branches.map((pattern) => <span key={`b${pattern}`} class="pattern"><BranchIcon /><span class="sr-only">branch </span><bdi>{pattern}</bdi></span>)}
        {tags.map((pattern) => <span key={`t${pattern}`} class="pattern"><TagIcon /><span class="sr-only">tag </span><bdi>{pattern}</bdi></span>)}
        {isNarrowed(rule.trigger) && <span class="muted small">with exceptions</span>}
        {branches.length + tags.length === 0 && <span class="muted">by hand only</span>}
      </span>
      <span class="patterns">{(rule.tag_templates ?? []).map((template) => <span key={template} class="pattern"><bdi>:{template}</bdi></span>)}</span>
      <span class="row end nowrap">
        {mayAct('developer') && <ButtonLink href={`/new?rule=${encodeURIComponent(rule.id ?? '')}`} small><PlayIcon /> Build now</ButtonLink>}
        {mayAct('admin') && <Button kind="quiet" small label={`Delete ${rule.display_name}`} onClick={() => setAsking(true)}><TrashIcon /></Button>}
      </span>
      {toggle.error && <ErrorNote error={toggle.error} />}
      {asking && (
        <Confirm title={`Delete the rule “${rule.display_name}”?`} action="Delete the rule" busy={remove.busy} error={remove.error} onConfirm={() => void remove.run()} onClose={() => setAsking(false)}>
          <p>Pushes to {rule.repository} no longer build by it. Images and builds that it made stay. To stop it for a while, disable it instead.</p>
        </Confirm>
      )}
    </li>
  );
}
