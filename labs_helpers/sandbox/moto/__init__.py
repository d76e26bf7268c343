"""The only room that imports moto: moto's services behind the door, and what moto is used for."""
