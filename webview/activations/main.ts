import '../ui/page.css';
import '../ui/fields.css';
import './activations.css';
import { followSeries } from '../charts/series';
import { registerToolkit } from '../ui/toolkit';
import { ActivationsApp } from './app';
import { LayerCardElement } from './layer-card';
import { SigmaChart } from './sigma-chart';

followSeries();
registerToolkit();
customElements.define('aurora-layer-card', LayerCardElement);
customElements.define('aurora-sigma-chart', SigmaChart);
customElements.define('aurora-activations', ActivationsApp);
document.body.append(document.createElement('aurora-activations'));
