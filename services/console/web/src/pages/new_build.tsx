// Starting a build by hand: by a rule, of any commit, or of an upload.
import { useState } from 'preact/hooks';
import { createBuild, getEvent, listRules, newRequestId, triggerRule } from '../api/calls';
import { mayAct, upload as sendUpload } from '../api/client';
import { ApiError } from '../api/errors';
import type { Rule, UploadFormat } from '../api/types';
import { checkRepository, checkTags, parseList } from '../model/checks';
import { formatBytes, shortRef } from '../model/format';
import { checkDraft, draftFieldOf, draftOf, recipeOf } from '../model/recipe_draft';
import { formatOfFile } from '../model/upload_format';
import { Dropzone } from '../ui/dropzone';
import { AreaField, Segments, SelectField, TextField } from '../ui/fields';
import { announce, refuseForm, useAction, useQuery, useTitle } from '../ui/hooks';
import { PlayIcon, UploadIcon } from '../ui/icons';
import { Button, ErrorNote, Note, PageHead, Skeleton } from '../ui/parts';
import { DestinationFields, RecipeFields } from '../ui/recipe_fields';
import { RepositoryFields, useRefs } from '../ui/repository_fields';
import { Link, navigate, useLocation } from '../ui/router';

export function NewBuildPage({ source }: { source: 'repository' | 'upload' }) {
  useTitle(source === 'upload' ? 'Upload' : 'Build now');
  const rules = useQuery('rules', listRules);
  return (
    <>
      <PageHead title={source === 'upload' ? 'Upload' : 'Build now'} lead={source === 'upload' ? 'Build an image from a Dockerfile or an archive on your computer.' : 'Build a branch, a tag or a commit, without a push.'} />
      <nav class="tabs" aria-label="Kind of source">
        <Link href="/new" aria-current={source === 'repository' ? 'page' : undefined}>From a repository</Link>
        <Link href="/new/upload" aria-current={source === 'upload' ? 'page' : undefined}>Upload</Link>
      </nav>
      {!mayAct('developer') && <Note tone="warn"><p>Your token only reads. Sign in with a developer’s token to start builds.</p></Note>}
      {mayAct('developer') && source === 'upload' && <UploadForm />}
      {mayAct('developer') && source === 'repository' && (rules.error ? <ErrorNote error={rules.error} retry={rules.reload} /> : rules.value ? <RepositoryForm rules={rules.value} /> : <Skeleton />)}
    </>
  );
}

function RepositoryForm({ rules }: { rules: Rule[] }) {
  const { query } = useLocation();
  const wanted = rules.find((rule) => rule.id === query.get('rule'));
  const [way, setWay] = useState<'rule' | 'free'>(rules.length > 0 ? 'rule' : 'free');
  const [ruleId, setRule] = useState(wanted?.id ?? rules[0]?.id ?? '');
  return (
    <div class="form">
      {rules.length > 0 && <Segments label="How it is built" value={way} options={[{ key: 'rule', label: 'As a rule says' }, { key: 'free', label: 'Without a rule' }]} onChange={setWay} />}
      {way === 'rule' ? <ByRule key={ruleId} rules={rules} ruleId={ruleId} onRule={setRule} /> : <Freely />}
    </div>
  );
}

function RevisionField({ value, onInput, refs, problem }: { value: string; onInput: (value: string) => void; refs: ReturnType<typeof useRefs>; problem: string }) {
  const names = refs.state === 'known' ? refs.value.refs.map((ref) => shortRef(ref.name).name) : [];
  const head = refs.state === 'known' ? shortRef(refs.value.defaultBranch).name : '';
  return <TextField label="Branch, tag or commit" mono value={value} onInput={onInput} suggestions={names} insist problem={problem} placeholder={head || 'the default branch'} hint="Empty: the default branch. A commit by all of its 40 digits." />;
}

function checkRevision(value: string): string {
  const looksShort = /^[0-9a-f]{7,39}$/.test(value) && /\d/.test(value);
  return looksShort ? 'If this is a commit, give all of its 40 digits.' : '';
}

function ByRule({ rules, ruleId, onRule }: { rules: Rule[]; ruleId: string; onRule: (id: string) => void }) {
  const rule = rules.find((one) => one.id === ruleId);
  const [revision, setRevision] = useState('');
  const [requestId] = useState(newRequestId);
  const refs = useRefs(rule?.connection_id ?? '', rule?.repository ?? '');
  const isKnownRef = refs.state === 'known' && refs.value.refs.some((ref) => shortRef(ref.name).name === revision.trim());
  const start = useAction(async () => {
    const event = await triggerRule(ruleId, revision.trim(), `${requestId}-${revision.trim()}`.slice(0, 100));
    // The rule-engine hands the build over a moment later; its event then names the build.
    for (let turn = 0; turn < 20; turn++) {
      const now = turn === 0 ? event : await getEvent(event.id ?? '');
      const explanation = now.explanations?.find((one) => one.rule_id === ruleId);
      if (explanation?.build_id) return navigate(`/builds/${encodeURIComponent(explanation.build_id)}`);
      if (explanation?.reason === 'REASON_BUILD_REFUSED' || explanation?.reason === 'REASON_NO_TAG') throw new ApiError('FAILED_PRECONDITION', explanation.detail || 'The rule makes no build of this revision.');
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    return navigate(`/events/${encodeURIComponent(event.id ?? '')}`);
  });
  return (
    <form class="form" noValidate onSubmit={(event) => { event.preventDefault(); void start.run(); }}>
      <fieldset>
        <legend>What to build</legend>
        <SelectField label="Rule" value={ruleId} onInput={onRule} options={rules.map((one) => ({ value: one.id ?? '', label: `${one.repository}: ${one.display_name}` }))} hint={rule && <>Goes to <code><bdi>{rule.destination?.repository}</bdi></code> with the tags <bdi>{(rule.tag_templates ?? []).join(', ')}</bdi></>} />
        <RevisionField value={revision} onInput={setRevision} refs={refs} problem={isKnownRef ? '' : checkRevision(revision.trim())} />
        {refs.state === 'failed' && <ErrorNote error={refs.error} />}
      </fieldset>
      {start.error && <ErrorNote error={start.error} />}
      <div class="row end"><Button kind="primary" type="submit" busy={start.busy}><PlayIcon /> Build now</Button></div>
    </form>
  );
}

/** The full ref or the commit that a revision means, for CreateBuild. */
function sourceOfRevision(revision: string): { ref: string; commit: string } {
  return /^[0-9a-f]{40}$/.test(revision) ? { ref: '', commit: revision } : { ref: revision, commit: '' };
}

function Freely() {
  const { query } = useLocation();
  const [connectionId, setConnection] = useState(query.get('connection') ?? '');
  const [repository, setRepository] = useState(query.get('repository') ?? '');
  const [revision, setRevision] = useState('');
  const [tags, setTags] = useState('');
  const [draft, setDraft] = useState(() => draftOf(undefined, undefined));
  const [insist, setInsist] = useState(false);
  const [requestId, renew] = useState(newRequestId);
  const refs = useRefs(connectionId, repository);
  const problems = [connectionId ? '' : 'connection', checkRepository(repository), checkTags(parseList(tags)), ...Object.values(checkDraft(draft))].filter(Boolean);
  const start = useAction(async () => {
    setInsist(true);
    if (problems.length > 0) return refuseForm();
    try {
      const build = await createBuild({ git: { connection_id: connectionId, repository, ...sourceOfRevision(revision.trim()) }, tags: parseList(tags), ...recipeOf(draft) }, requestId);
      navigate(`/builds/${encodeURIComponent(build.id ?? '')}`);
    } catch (thrown) {
      if (thrown instanceof ApiError && thrown.code !== 'NETWORK') renew(newRequestId());
      throw thrown;
    }
  });
  return (
    <form class="form" noValidate onSubmit={(event) => { event.preventDefault(); void start.run(); }}>
      <fieldset>
        <legend>What to build</legend>
        <RepositoryFields connectionId={connectionId} repository={repository} refs={refs} insist={insist} onConnection={setConnection} onRepository={(value) => setRepository(value.trim())} />
        <RevisionField value={revision} onInput={setRevision} refs={refs} problem={checkRevision(revision.trim())} />
      </fieldset>
      <fieldset>
        <legend>Image</legend>
        <DestinationFields draft={draft} onChange={setDraft} insist={insist} error={start.error} />
        <TextField label="Tags" mono optional value={tags} onInput={setTags} insist problem={checkTags(parseList(tags))} placeholder="test, latest" hint="With commas between. The build’s id is always a tag." />
      </fieldset>
      <fieldset>
        <legend>How it is built</legend>
        <RecipeFields draft={draft} onChange={setDraft} insist={insist} error={start.error} paths="choose" />
      </fieldset>
      {start.error && !draftFieldOf(start.error.field) && <ErrorNote error={start.error} />}
      <div class="row end"><Button kind="primary" type="submit" busy={start.busy}><PlayIcon /> Build now</Button></div>
    </form>
  );
}

const EXAMPLE_DOCKERFILE = 'FROM debian:12-slim\nRUN echo hello\n';

function UploadForm() {
  const [way, setWay] = useState<'editor' | 'file'>('editor');
  const [text, setText] = useState('');
  const [file, setFile] = useState<{ file: File; format: UploadFormat } | null>(null);
  const [fileProblem, setFileProblem] = useState('');
  const [tags, setTags] = useState('');
  const [draft, setDraft] = useState(() => draftOf(undefined, undefined));
  const [insist, setInsist] = useState(false);
  const [stage, setStage] = useState('');
  const textProblem = text.trim() === '' ? 'Write a Dockerfile, or drop one here.' : /^\s*(from|arg)\s/im.test(text) ? '' : 'A Dockerfile needs a FROM instruction.';
  const sourceProblem = way === 'editor' ? textProblem : file ? '' : 'Choose an archive.';
  const problems = [sourceProblem, checkTags(parseList(tags)), ...Object.values(checkDraft(draft))].filter(Boolean);

  const takeFile = async (chosen: File) => {
    const format = formatOfFile(chosen.name, chosen.type);
    setFileProblem('');
    if (format === 'dockerfile' && chosen.size <= 1_000_000) {
      setText(await chosen.text());
      setWay('editor');
      announce(`${chosen.name} is in the editor.`);
    } else if (format === 'tar' || format === 'zip') {
      setFile({ file: chosen, format });
      setWay('file');
      announce(`${chosen.name}, ${formatBytes(chosen.size)}, is chosen.`);
    } else {
      setFileProblem(`${chosen.name} is neither a Dockerfile nor a tar or zip archive (.tar, .tar.gz, .tgz, .tar.zst, .zip).`);
    }
  };
  const start = useAction(async () => {
    setInsist(true);
    if (problems.length > 0) return refuseForm();
    try {
      setStage('Uploading…');
      const uploaded = way === 'editor' ? await sendUpload('dockerfile', 'Dockerfile', new Blob([text])) : await sendUpload(file!.format, file!.file.name, file!.file);
      setStage('Starting the build…');
      const { recipe, destination } = recipeOf(way === 'editor' ? { ...draft, dockerfile: '', context: '' } : draft);
      const build = await createBuild({ upload: { upload_id: uploaded.id }, tags: parseList(tags), recipe, destination }, newRequestId());
      navigate(`/builds/${encodeURIComponent(build.id ?? '')}`);
    } finally {
      setStage('');
    }
  });
  return (
    <form class="form" noValidate onSubmit={(event) => { event.preventDefault(); void start.run(); }}>
      <fieldset>
        <legend>What to build</legend>
        <Segments label="Kind of upload" value={way} options={[{ key: 'editor', label: 'Dockerfile' }, { key: 'file', label: 'Archive' }]} onChange={setWay} />
        <Dropzone onFile={(chosen) => void takeFile(chosen)} accept={way === 'editor' ? '' : '.tar,.gz,.tgz,.zst,.zip'} label={way === 'editor' ? 'Choose a Dockerfile' : 'Choose an archive'} hint={way === 'editor' ? 'or drop one anywhere in this box' : 'or drop it here: .tar, .tar.gz, .tar.zst or .zip, whose root is the context’s root'}>
          {way === 'editor'
            ? <AreaField label="Dockerfile" rows={12} value={text} onInput={setText} insist={insist} problem={textProblem} placeholder={EXAMPLE_DOCKERFILE} hint="There are no other files: COPY and ADD need an archive." />
            : file && <p class="file"><UploadIcon /> <bdi>{file.file.name}</bdi> <span class="muted">{formatBytes(file.file.size)}</span> <Button kind="quiet" small onClick={() => setFile(null)}>Remove</Button></p>}
          {way === 'file' && insist && !file && <p class="problem" role="alert">{sourceProblem}</p>}
          {fileProblem && <p class="problem" role="alert">{fileProblem}</p>}
        </Dropzone>
      </fieldset>
      <fieldset>
        <legend>Image</legend>
        <DestinationFields draft={draft} onChange={setDraft} insist={insist} error={start.error} />
        <TextField label="Tags" mono optional value={tags} onInput={setTags} insist problem={checkTags(parseList(tags))} placeholder="test, latest" hint="With commas between. The build’s id is always a tag." />
      </fieldset>
      <fieldset>
        <legend>How it is built</legend>
        <RecipeFields draft={draft} onChange={setDraft} insist={insist} error={start.error} paths={way === 'editor' ? 'fixed' : 'choose'} />
      </fieldset>
      {start.error && !draftFieldOf(start.error.field) && <ErrorNote error={start.error} />}
      <div class="row end">
        <span role="status" class="muted">{stage}</span>
        <Button kind="primary" type="submit" busy={start.busy}><UploadIcon /> Upload and build</Button>
      </div>
    </form>
  );
}
