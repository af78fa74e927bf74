// Where the app starts.
import { render } from 'preact';
import { App } from './app';
import './styles/tokens.css';
import './styles/base.css';
import './styles/shell.css';
import './styles/parts.css';
import './styles/forms.css';
import './styles/builds.css';
import './styles/log.css';

render(<App />, document.getElementById('app')!);
