import '../ui/page.css';
import '../ui/fields.css';
import '../spans/spans.css';
import './playground.css';
import './spans/answer.css';
import { followSeries } from '../charts/series';
import { registerToolkit } from '../ui/toolkit';
import { PlaygroundApp } from './app';

followSeries();
registerToolkit();
customElements.define('aurora-playground', PlaygroundApp);
document.body.append(document.createElement('aurora-playground'));
