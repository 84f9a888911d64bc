// The door: the form is sent once.
import "./forms.js";
