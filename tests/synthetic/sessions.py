"""Small sessions of photos, for tests."""

from headrecon.synthetic.chance import Chance
from headrecon.synthetic.develop import Develop
from headrecon.synthetic.dirt import Dirt
from headrecon.synthetic.folder import PhotographSubject
from headrecon.synthetic.photograph import Photograph
from headrecon.synthetic.subject import Population

CHANCE = Chance(
    min_side=150,
    max_side=260,
    azimuth=95.0,
    mildness=1.0,
    specular=1.0,
    aging=0.2,
    restyled=0.2,
    occluder=0.0,
    second_face=0.0,
    banner=0.0,
)
CLEAN = Dirt(wrong_person=0.0, duplicate=0.0, no_face=0.0)
DEVELOP = Develop(
    stops=0.3,
    color_cast=0.05,
    contrast=0.05,
    blur=0.3,
    motion=0.0,
    noise=0.01,
    enlarged=0.0,
    sharpened=0.0,
    grayscale=0.0,
    min_quality=85,
)
POPULATION = Population(strangeness=1.0, unlike=0.0)
SESSION = PhotographSubject(
    photos=3,
    identity=2,
    seed=1,
    chance=CHANCE,
    dirt=CLEAN,
    photograph=Photograph(population=POPULATION, develop=DEVELOP),
)
