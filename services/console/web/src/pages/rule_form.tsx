// Making and changing a rule: validated while typing, with a look at real refs.
import { useState } from 'preact/hooks';
import { createRule, getRule, updateRule } from '../api/calls';
import { mayAct } from '../api/client';
import type { ApiError } from '../api/errors';
import type { Rule } from '../api/types';
import { checkName, checkRepository, checkTemplates, parseList, parsePatterns } from '../model/checks';
import { plural, shortRef } from '../model/format';
import { compilePattern, matchingRefs, sampleRefs } from '../model/patterns';
import { checkDraft, draftFieldOf, draftOf, recipeOf } from '../model/recipe_draft';
import { AreaField, TextField } from '../ui/fields';
import { announce, refuseForm, useAction, useQuery, useTitle } from '../ui/hooks';
import { Button, ButtonLink, ErrorNote, Note, PageHead, Skeleton } from '../ui/parts';
import { DestinationFields, RecipeFields } from '../ui/recipe_fields';
import { type Refs, RepositoryFields, useRefs } from '../ui/repository_fields';
import { navigate, useLocation } from '../ui/router';
import { TagPreview } from '../ui/tag_preview';

/** A rule's page; `id` '' = a new one. */
export function RulePage({ id }: { id: string }) {
  const { query } = useLocation();
  const rule = useQuery(id, async (signal): Promise<Rule> => (id ? getRule(id, signal) : { connection_id: query.get('connection') ?? '', repository: query.get('repository') ?? '', trigger: { branches: ['main'] }, tag_templates: ['{commit:7}', 'latest'] }));
  useTitle(id ? (rule.value?.display_name ?? 'Rule') : 'New rule');
  const back = { href: '/rules', label: 'Repositories and rules' };
  return (
    <>
      <PageHead title={id ? <bdi>{rule.value?.display_name ?? 'Rule'}</bdi> : 'New rule'} back={back} actions={id && rule.value && <><ButtonLink href={`/builds?rule=${encodeURIComponent(id)}`}>Its builds</ButtonLink>{mayAct('developer') && <ButtonLink href={`/new?rule=${encodeURIComponent(id)}`}>Build now</ButtonLink>}</>} />
      {rule.error && <ErrorNote error={rule.error} retry={rule.reload} />}
      {!rule.value && rule.loading && <Skeleton />}
      {rule.value && <RuleForm key={rule.value.etag ?? ''} rule={rule.value} isNew={id === ''} onReload={rule.reload} />}
    </>
  );
}

const EXAMPLES = ['refs/heads/main', 'refs/heads/feature/login', 'refs/tags/v1.2.0'];

function RuleForm({ rule, isNew, onReload }: { rule: Rule; isNew: boolean; onReload: () => void }) {
  const [name, setName] = useState(rule.display_name ?? '');
  const [connectionId, setConnection] = useState(rule.connection_id ?? '');
  const [repository, setRepository] = useState(rule.repository ?? '');
  const [branches, setBranches] = useState((rule.trigger?.branches ?? []).join('\n'));
  const [tags, setTags] = useState((rule.trigger?.tags ?? []).join('\n'));
  const [templates, setTemplates] = useState((rule.tag_templates ?? []).join('\n'));
  const [draft, setDraft] = useState(() => draftOf(rule.recipe, rule.destination));
  const [templateProblem, setTemplateProblem] = useState('');
  const [insist, setInsist] = useState(false);
  const refs = useRefs(connectionId, repository.trim());
  const known = refs.state === 'known' ? refs.value : undefined;

  const patterns = { branches: parsePatterns(branches), tags: parsePatterns(tags) };
  const templateList = parseList(templates);
  const localProblems = [
    checkName(name), connectionId ? '' : 'connection', checkRepository(repository.trim()), checkTemplates(templateList), templateProblem, ...Object.values(checkDraft(draft)),
  ].filter(Boolean);

  const save = useAction(async () => {
    setInsist(true);
    if (localProblems.length > 0) {
      refuseForm();
      return;
    }
    const wanted: Rule = { display_name: name.trim(), connection_id: connectionId, repository: repository.trim(), trigger: patterns, tag_templates: templateList, ...recipeOf(draft) };
    if (isNew) await createRule(wanted);
    else await updateRule({ ...wanted, id: rule.id, etag: rule.etag }, ['display_name', 'trigger', 'recipe', 'destination', 'tag_templates']);
    announce('The rule was saved.');
    navigate('/rules');
  });
  const own = serverProblems(save.error);
  const editable = mayAct('admin');

  return (
    <form class="form" noValidate onSubmit={(event) => { event.preventDefault(); void save.run(); }}>
      {!editable && <Note><p>You can look at this rule; changing it needs an administrator’s token.</p></Note>}
      <fieldset disabled={!editable}>
        <legend>Repository</legend>
        <RepositoryFields connectionId={connectionId} repository={repository} refs={refs} insist={insist} fixed={!isNew} onConnection={setConnection} onRepository={(value) => setRepository(value.trim())} problem={own.repository} />
        <TextField label="Name of the rule" value={name} onInput={setName} insist={insist || own.name !== ''} problem={checkName(name) || own.name} placeholder="app on main" />
      </fieldset>
      <fieldset disabled={!editable}>
        <legend>Which pushes build</legend>
        <div class="field-row">
          <AreaField label="Branches" optional rows={2} value={branches} onInput={setBranches} insist={insist || own.branches !== ''} problem={own.branches} placeholder={'main\nrelease/*'} hint="One pattern per line: a name, a glob, or re: and an expression for the whole ref." />
          <AreaField label="Tags" optional rows={2} value={tags} onInput={setTags} insist={insist || own.tags !== ''} problem={own.tags} placeholder="v*" hint="With neither, the rule builds by hand only." />
        </div>
        <Matches known={known} patterns={patterns} />
      </fieldset>
      <fieldset disabled={!editable}>
        <legend>Image</legend>
        <DestinationFields draft={draft} onChange={setDraft} insist={insist} error={save.error} />
        <AreaField
          label="Tags of the image" rows={2} value={templates} onInput={setTemplates} insist problem={checkTemplates(templateList) || templateProblem || own.templates} placeholder={'{commit:7}\nlatest'}
          hint={<>One template per line. <code>{'{branch}'}</code> <code>{'{tag}'}</code> <code>{'{ref}'}</code> <code>{'{commit:7}'}</code> <code>{'{time:%Y%m%d}'}</code>, or fixed text that every build moves.</>}
        />
        <TagPreview templates={checkTemplates(templateList) ? [] : templateList} known={known} destination={draft.destination} onProblem={setTemplateProblem}
          refs={known ? sampleRefs(known.refs.map((ref) => ref.name ?? ''), known.defaultBranch, patterns.branches, patterns.tags) : EXAMPLES} />
      </fieldset>
      <fieldset disabled={!editable}>
        <legend>How it is built</legend>
        <RecipeFields draft={draft} onChange={setDraft} insist={insist} error={save.error} paths="choose" />
      </fieldset>
      {save.error && !own.shown && <ErrorNote error={save.error} retry={save.error.code === 'ABORTED' ? onReload : undefined} />}
      {insist && localProblems.length > 0 && <p class="problem" role="alert">{plural(localProblems.length, 'field needs', 'fields need')} to be corrected above.</p>}
      {editable && (
        <div class="row end">
          <ButtonLink href="/rules">Cancel</ButtonLink>
          <Button kind="primary" type="submit" busy={save.busy}>{isNew ? 'Make the rule' : 'Save'}</Button>
        </div>
      )}
    </form>
  );
}

/** What the server said about fields of this form; `shown`: it stands next to its field, so the error need not be repeated. */
function serverProblems(error: ApiError | undefined) {
  const of = (test: RegExp) => (error && test.test(error.field) ? error.message : '');
  const found = {
    name: error?.code === 'ALREADY_EXISTS' ? 'This name is taken: choose another.' : of(/display_name$/),
    repository: of(/^(rule\.)?(repository|connection_id)$/),
    branches: of(/branches/),
    tags: of(/trigger\.tags/),
    templates: of(/tag_templates/),
  };
  return { ...found, shown: Object.values(found).some(Boolean) || (error !== undefined && draftFieldOf(error.field) !== '') };
}

/** Which refs of the repository the patterns match now. */
function Matches({ known, patterns }: { known: Refs | undefined; patterns: { branches: string[]; tags: string[] } }) {
  if (patterns.branches.length + patterns.tags.length === 0) return <p class="hint">Builds by hand only: no push starts it.</p>;
  if (!known) return null;
  const untried = [...patterns.branches.map((pattern) => compilePattern(pattern, 'branch')), ...patterns.tags.map((pattern) => compilePattern(pattern, 'tag'))].some((compiled) => 'problem' in compiled);
  const matched = matchingRefs(known.refs.map((ref) => ref.name ?? ''), patterns.branches, patterns.tags);
  const shown = matched.slice(0, 6).map((ref) => shortRef(ref).name);
  return (
    <p class={`hint ${matched.length === 0 && !untried ? 'tone-warn' : ''}`} role="status">
      {untried ? 'One expression can only be tried by the server. ' : ''}
      {matched.length === 0 ? 'No ref that is there now matches; later ones may.' : <>Matches now: <bdi>{shown.join(', ')}</bdi>{matched.length > shown.length && ` and ${matched.length - shown.length} more`}.</>}
    </p>
  );
}
